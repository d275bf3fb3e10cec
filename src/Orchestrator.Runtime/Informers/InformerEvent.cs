namespace Orchestrator.Runtime.Informers;

public enum InformerEventKind
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One change of an informer's cache.</summary>
/// <param name="Old">Null when added.</param>
/// <param name="New">Null when deleted.</param>
public sealed record InformerEvent<T>(InformerEventKind Kind, ObjectKey Key, T? Old, T? New)
    where T : class
{
    /// <summary>The newest form there is: <see cref="New"/>, or what was deleted.</summary>
    public T Object => New ?? Old ?? throw new InvalidOperationException("an event without an object");
}
