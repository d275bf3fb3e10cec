namespace Orchestrator.HostAgent.Engines;

/// <summary>
/// A kind of call: its name in metrics, how long one try may take, and whether it may be repeated when nobody knows whether it
/// was carried out. Times are those of a busy machine; what they should take is in docs/design/host-agent.md.
/// </summary>
/// <param name="Timeout">Infinite for calls that take as long as they take and watch over themselves.</param>
internal sealed record EngineOperation(string Name, TimeSpan Timeout, bool Repeatable)
{
    public static readonly EngineOperation Ping = new("ping", TimeSpan.FromSeconds(2), Repeatable: false) { IsCheck = true };
    public static readonly EngineOperation Version = new("version", TimeSpan.FromSeconds(5), Repeatable: true) { IsCheck = true };

    /// <summary>The first call over ssh: the login comes before it, ten round trips and whatever that machine asks before it lets in.</summary>
    public static readonly EngineOperation VersionThroughLogin = Version with { Timeout = TimeSpan.FromSeconds(15) };

    public static readonly EngineOperation Info = new("info", TimeSpan.FromSeconds(5), Repeatable: true);
    public static readonly EngineOperation List = new("list", TimeSpan.FromSeconds(15), Repeatable: true);
    public static readonly EngineOperation Inspect = new("inspect", TimeSpan.FromSeconds(10), Repeatable: true);
    public static readonly EngineOperation Images = new("images", TimeSpan.FromSeconds(15), Repeatable: true);
    public static readonly EngineOperation ImageInspect = new("image_inspect", TimeSpan.FromSeconds(10), Repeatable: true);
    public static readonly EngineOperation Logs = new("logs", TimeSpan.FromSeconds(5), Repeatable: true);
    public static readonly EngineOperation Stats = new("stats", TimeSpan.FromSeconds(10), Repeatable: true);
    public static readonly EngineOperation Events = new("events", TimeSpan.FromSeconds(5), Repeatable: true);

    // By its name a create happens once, whoever repeats it; a start of what runs and a removal of what is gone change nothing.
    public static readonly EngineOperation Create = new("create", TimeSpan.FromSeconds(30), Repeatable: true);
    public static readonly EngineOperation Start = new("start", TimeSpan.FromSeconds(60), Repeatable: true);
    public static readonly EngineOperation Update = new("update", TimeSpan.FromSeconds(15), Repeatable: true);
    public static readonly EngineOperation Remove = new("remove", TimeSpan.FromSeconds(60), Repeatable: true);

    // Deletes what may be gigabytes of layers before it answers.
    public static readonly EngineOperation ImageRemove = new("image_remove", TimeSpan.FromMinutes(2), Repeatable: true);

    // As with containers, a volume's name makes it one; the same archive makes the same files.
    public static readonly EngineOperation CreateVolume = new("create_volume", TimeSpan.FromSeconds(15), Repeatable: true);
    public static readonly EngineOperation ListVolumes = new("list_volumes", TimeSpan.FromSeconds(15), Repeatable: true);
    public static readonly EngineOperation RemoveVolume = new("remove_volume", TimeSpan.FromSeconds(30), Repeatable: true);
    public static readonly EngineOperation Extract = new("extract", TimeSpan.FromSeconds(60), Repeatable: true);

    // A second stop sends the signal a second time; a second exec runs the command twice.
    public static readonly EngineOperation Stop = new("stop", TimeSpan.FromSeconds(30), Repeatable: false);
    public static readonly EngineOperation Exec = new("exec", TimeSpan.FromSeconds(10), Repeatable: false);
    public static readonly EngineOperation ExecInspect = new("exec_inspect", TimeSpan.FromSeconds(5), Repeatable: true);
    public static readonly EngineOperation Pull = new("pull", System.Threading.Timeout.InfiniteTimeSpan, Repeatable: false);

    /// <summary>Finds out whether the engine is there at all: made by who comes again by himself, past retries and circuit breaker.</summary>
    public bool IsCheck { get; init; }
}
