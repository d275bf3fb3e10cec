namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>One login of a session: the ssh that logs in, and those that are channels of its connection.</summary>
/// <param name="controlPath">Where they find it; null where there is no place for its socket, and so nobody to join it.</param>
internal sealed class SshLogin(string? controlPath)
{
    private readonly TaskCompletionSource<SshLoginEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string? ControlPath => controlPath;

    /// <summary>Connections through it, its own among them, until they have ended. Guarded by its owner.</summary>
    public int Channels { get; set; } = 1;

    /// <summary>Those of them that are in use: with the last, ssh ends. Guarded by its owner.</summary>
    public int InUse { get; set; } = 1;

    /// <summary>Completes when none is in use any more.</summary>
    public Task Unused => _unused.Task;

    /// <summary>How it ended: in, with a reason why not, or with neither when whoever began it has given it up.</summary>
    public Task<SshLoginEnd> Ended => _ended.Task;

    public void SetUnused() => _unused.TrySetResult();

    public void End(SshLoginEnd end) => _ended.TrySetResult(end);
}

/// <param name="Reason">Why there is no connection through it; null when there is.</param>
/// <param name="IsRefused">The machine did not let us in, and counts that.</param>
/// <param name="WasIn">It did, though what was to be done there may have failed.</param>
internal sealed record SshLoginEnd(EngineException? Reason, bool IsRefused, bool WasIn)
{
    public static readonly SshLoginEnd GivenUp = new(null, IsRefused: false, WasIn: false);
}
