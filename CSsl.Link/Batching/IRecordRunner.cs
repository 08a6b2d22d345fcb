namespace CSsl.Link;

/// <summary>Has the batches of all links of a process run by its record engine. Thread-safe.</summary>
public interface IRecordRunner
{
    /// <summary>Runs a batch: at once, on this thread, or soon, on that of somebody who is running others at the moment.</summary>
    /// <param name="batch">Belongs to the runner until it was run.</param>
    /// <returns>True: it was run. False: it will be, and <see cref="RecordBatch.OnRun"/> says when.</returns>
    bool TryRun(RecordBatch batch);
}
