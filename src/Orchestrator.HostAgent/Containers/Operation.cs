namespace Orchestrator.HostAgent.Containers;

/// <summary>What came of an operation. Applied by the next reconcile of its key, which alone changes the record.</summary>
/// <param name="Seen">The container afterwards; null when there is none, or nobody looked.</param>
/// <param name="Looked">Whether <paramref name="Seen"/> is what is.</param>
/// <param name="Failure">Reason and message of what went wrong.</param>
/// <param name="PostStart">What came of the postStart hook: null inside when it went well.</param>
internal sealed record Outcome(
    ContainerSnapshot? Seen = null, bool Looked = false, (string Reason, string Message)? Failure = null, HookOutcome? PostStart = null)
{
    public static Outcome Of(ContainerSnapshot? seen) => new(seen, Looked: true);

    public static Outcome Failed(string reason, string message) => new(Failure: (reason, message));
}

/// <param name="Failure">Null when it went well.</param>
internal sealed record HookOutcome(string? Failure);

/// <summary>One piece of work on a container that takes longer than a reconcile should. At most one a Replica at a time.</summary>
internal sealed class Operation(ContainerStep step, CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource _cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private volatile Outcome? _outcome;
    private volatile bool _pulling;

    public ContainerStep Step => step;

    /// <summary>
    /// What it still waits for is not wanted any more. For waiting only: an engine does not stop a create because its caller has
    /// hung up, and what it makes then nobody would know of.
    /// </summary>
    public CancellationToken Cancelled => _cancel.Token;

    /// <summary>The way to the engine has ended. For calls that change something there.</summary>
    public CancellationToken Ended => cancellationToken;

    /// <summary>Completes, without failing, when nothing of it is under way any more.</summary>
    public Task Completion { get; set; } = Task.CompletedTask;

    /// <summary>Null until it has ended.</summary>
    public Outcome? Outcome => _outcome;

    /// <summary>It waits for an image to come.</summary>
    public bool Pulling
    {
        get => _pulling;
        set => _pulling = value;
    }

    public void End(Outcome outcome) => _outcome = outcome;

    public void Cancel() => _cancel.Cancel();

    public void Dispose() => _cancel.Dispose();
}
