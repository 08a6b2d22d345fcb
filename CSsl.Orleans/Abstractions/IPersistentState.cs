namespace Orleans.Core
{
    /// <summary>One stored value of one grain.</summary>
    public interface IStorage
    {
        /// <summary>The version that was read or written last; null when there is none.</summary>
        string? Etag { get; }

        bool RecordExists { get; }

        /// <summary>Deletes the stored value and starts again with a new one.</summary>
        /// <exception cref="Storage.InconsistentStateException">Somebody else wrote since.</exception>
        Task ClearStateAsync();

        /// <inheritdoc cref="ClearStateAsync()"/>
        Task ClearStateAsync(CancellationToken cancellationToken) => ClearStateAsync();

        /// <summary>Replaces the value by the stored one.</summary>
        Task ReadStateAsync();

        /// <inheritdoc cref="ReadStateAsync()"/>
        Task ReadStateAsync(CancellationToken cancellationToken) => ReadStateAsync();

        /// <summary>Stores the value.</summary>
        /// <exception cref="Storage.InconsistentStateException">Somebody else wrote since.</exception>
        Task WriteStateAsync();

        /// <inheritdoc cref="WriteStateAsync()"/>
        Task WriteStateAsync(CancellationToken cancellationToken) => WriteStateAsync();
    }

    /// <inheritdoc cref="IStorage"/>
    public interface IStorage<TState> : IStorage
    {
        TState State { get; set; }
    }
}

namespace Orleans.Runtime
{
    /// <summary>A grain's stored state, given to its constructor with <see cref="PersistentStateAttribute"/>; read before OnActivateAsync.</summary>
    public interface IPersistentState<TState> : Core.IStorage<TState>;

    /// <summary>Names the state and the storage of an <see cref="IPersistentState{TState}"/> parameter.</summary>
    /// <param name="stateName">Unique in the grain.</param>
    /// <param name="storageName">The storage provider. This engine has one and takes any name for it.</param>
    [AttributeUsage(AttributeTargets.Parameter)]
    public class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
    {
        public string StateName { get; } = stateName;

        public string? StorageName { get; } = storageName;
    }
}
