namespace Orchestrator.Cli;

/// <summary>What the process says to scripts. Part of the interface: docs/cli.md and <c>--help</c> list them.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The server refused, or some of several things failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    public const int NotFound = 3;

    /// <summary>What was waited for did not come about in time.</summary>
    public const int TimedOut = 4;

    /// <summary>No API server: none configured, none reachable, or none that lets us in.</summary>
    public const int Unreachable = 5;

    /// <summary>Another process has the data folder or the address.</summary>
    public const int InUse = 6;

    /// <summary>A rollout that was waited for failed, taken back or not.</summary>
    public const int RolloutFailed = 7;

    /// <summary>Ended by Ctrl-C: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    /// <summary>The reader of the output went away (<c>| head</c>): 128 + SIGPIPE.</summary>
    public const int OutputClosed = 141;

    public static readonly IReadOnlyList<(int Code, string Meaning)> All =
    [
        (Done, "done"),
        (Failed, "failed: the server refused, or one of several things failed"),
        (Usage, "wrong command line"),
        (NotFound, "not found"),
        (TimedOut, "timed out waiting"),
        (Unreachable, "API server not configured, not reachable or not willing to let you in"),
        (InUse, "serve, proxy: data folder or address is in use by another process"),
        (RolloutFailed, "the rollout failed"),
        (Interrupted, "interrupted by Ctrl-C"),
    ];
}
