using System.Diagnostics;
using System.Globalization;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>Docker Swarm over the lab's first three engines; they leave it at the end.</summary>
internal sealed class Swarm : ISide, IAsyncDisposable
{
    private const string Service = "bench-converge";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Workload _workload;
    private readonly string _docker;

    private Swarm(Workload workload, string docker) => (_workload, _docker) = (workload, docker);

    public string Name => "swarm";

    private EngineApi Manager => _workload.Engines[0];

    public static async Task<Swarm> StartAsync(Workload workload, LabDescription lab)
    {
        var swarm = new Swarm(workload, lab.Docker);
        try
        {
            await swarm.LeaveAsync(); // the one of a run that was killed
            await swarm.RequireAsync(swarm.Manager, "swarm", "init", "--advertise-addr", swarm.Manager.Host.Address);
            var token = (await swarm.RequireAsync(swarm.Manager, "swarm", "join-token", "-q", "worker")).Trim();
            foreach (var worker in workload.Engines.Skip(1))
            {
                await swarm.RequireAsync(worker, "swarm", "join", "--token", token, $"{swarm.Manager.Host.Address}:2377");
            }

            return swarm;
        }
        catch
        {
            await swarm.DisposeAsync();
            throw;
        }
    }

    /// <summary>From the command's start until all replicas run, as Swarm itself counts them.</summary>
    public async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Detached: the command would wait another five seconds to see that nothing falls over.
            var watch = Stopwatch.StartNew();
            await RequireAsync(
                Manager,
                "service", "create", "--detach", "--name", Service, "--replicas", _workload.Replicas.ToString(CultureInfo.InvariantCulture),
                "--stop-grace-period", "1s", _workload.Image);
            int running;
            while ((running = (await Manager.RunningTasksAsync(cancellationToken)).GetValueOrDefault(Service)) < _workload.Replicas)
            {
                if (watch.Elapsed > Workload.Limit)
                {
                    throw new TimeoutException($"Swarm ran {running} of {_workload.Replicas} replicas within {Workload.Limit.TotalSeconds} s");
                }

                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }

            return watch.Elapsed;
        }
        finally
        {
            await RemoveAsync();
        }
    }

    public async ValueTask DisposeAsync() => await LeaveAsync();

    private async Task RemoveAsync()
    {
        await DockerAsync(Manager, "service", "rm", Service);
        foreach (var engine in _workload.Engines)
        {
            await Eventually.See(
                () => engine.ContainersAsync($"com.docker.swarm.service.name={Service}"), seen => seen.Count == 0, Workload.Limit);
        }
    }

    private async Task LeaveAsync()
    {
        // The manager last; one that is in no swarm says so, and that is all.
        foreach (var engine in _workload.Engines.Reverse())
        {
            await DockerAsync(engine, "swarm", "leave", "--force");
        }
    }

    private async Task<string> RequireAsync(EngineApi engine, params string[] arguments) =>
        (await DockerAsync(engine, arguments)).OrThrow().Output;

    private Task<Command> DockerAsync(EngineApi engine, params string[] arguments) =>
        Command.RunAsync(_docker, ["-H", $"unix://{engine.Host.Socket}", .. arguments]);
}
