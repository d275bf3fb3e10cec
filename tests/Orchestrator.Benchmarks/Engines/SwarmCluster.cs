using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Engines;

/// <summary>Docker Swarm over some of the lab's engines, the first of which is its manager; they leave it at the end.</summary>
internal sealed class SwarmCluster : IAsyncDisposable
{
    private readonly IReadOnlyList<EngineApi> _engines;
    private readonly string _docker;

    private SwarmCluster(IReadOnlyList<EngineApi> engines, string docker) => (_engines, _docker) = (engines, docker);

    public EngineApi Manager => _engines[0];

    public static async Task<SwarmCluster> StartAsync(IReadOnlyList<EngineApi> engines, LabDescription lab)
    {
        var swarm = new SwarmCluster(engines, lab.Docker);
        try
        {
            await swarm.LeaveAsync(); // the one of a run that was killed
            await swarm.RequireAsync("swarm", "init", "--advertise-addr", swarm.Manager.Host.Address);
            var token = (await swarm.RequireAsync("swarm", "join-token", "-q", "worker")).Trim();
            foreach (var worker in engines.Skip(1))
            {
                (await swarm.DockerAsync(worker, "swarm", "join", "--token", token, $"{swarm.Manager.Host.Address}:2377")).OrThrow();
            }

            return swarm;
        }
        catch
        {
            await swarm.DisposeAsync();
            throw;
        }
    }

    public static string LabelOf(string service) => $"com.docker.swarm.service.name={service}";

    /// <summary>Runs a <c>docker</c> command at the manager.</summary>
    public async Task<string> RequireAsync(params string[] arguments) => (await DockerAsync(Manager, arguments)).OrThrow().Output;

    /// <summary>Returns once the manager takes all nodes for ready: one that was away gets no tasks before.</summary>
    public Task SeeReadyAsync(TimeSpan limit) => Eventually.See(
        async () => (await RequireAsync("node", "ls", "--format", "{{.Status}}")).Split('\n', StringSplitOptions.RemoveEmptyEntries),
        states => states.Length == _engines.Count && states.All(state => state == "Ready"),
        limit);

    /// <summary>Returns once the service, if there is one, and its containers are gone.</summary>
    public async Task RemoveAsync(string service, TimeSpan limit)
    {
        await DockerAsync(Manager, "service", "rm", service);
        foreach (var engine in _engines)
        {
            await Eventually.See(() => engine.ContainersAsync(LabelOf(service)), seen => seen.Count == 0, limit);
        }
    }

    public async ValueTask DisposeAsync() => await LeaveAsync();

    private async Task LeaveAsync()
    {
        // The manager last; one that is in no swarm says so, and that is all.
        foreach (var engine in _engines.Reverse())
        {
            await DockerAsync(engine, "swarm", "leave", "--force");
        }
    }

    private Task<Command> DockerAsync(EngineApi engine, params string[] arguments) =>
        Command.RunAsync(_docker, ["-H", $"unix://{engine.Host.Socket}", .. arguments]);
}
