using System.Diagnostics.CodeAnalysis;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>Runs the tasks of one activation one after the other, on the thread pool. An await in a grain comes back to it.</summary>
internal sealed class TurnScheduler : TaskScheduler, IThreadPoolWorkItem
{
    /// <summary>Tasks run in a row before other activations get the thread.</summary>
    private const int TasksPerTurn = 32;

    private readonly Lock _gate = new();
    private readonly Queue<Task> _tasks = new();
    private bool _scheduled;

    /// <summary>Starts <paramref name="action"/> as a turn, without the caller's execution context: what a caller keeps in AsyncLocals is not the grain's.</summary>
    [SuppressMessage("Reliability", "CA2008", Justification = "The scheduler is this.")]
    public void Run(Func<object?, Task> action, object state)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            Factory(action, state).Start(this);
            return;
        }
        using (ExecutionContext.SuppressFlow())
            Factory(action, state).Start(this);
    }

    void IThreadPoolWorkItem.Execute()
    {
        for (var i = 0; i < TasksPerTurn; i++)
        {
            Task? task;
            lock (_gate)
            {
                if (!_tasks.TryDequeue(out task))
                {
                    _scheduled = false;
                    return;
                }
            }
            TryExecuteTask(task);
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            _tasks.Enqueue(task);
            if (_scheduled)
                return;
            _scheduled = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    /// <summary>Inline only inside a turn of this very activation, where nothing else of it can be running.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
        => !taskWasPreviouslyQueued && Current == this && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_gate)
            return [.. _tasks];
    }

    private static Task<Task> Factory(Func<object?, Task> action, object state) => new Task<Task>(action, state);
}
