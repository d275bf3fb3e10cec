using System.Diagnostics;
using System.Globalization;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>Docker Swarm over the lab's first three engines; they leave it at the end.</summary>
internal sealed class Swarm : IAsyncDisposable
{
    private readonly IReadOnlyList<LabHost> _hosts;
    private readonly string _docker;

    private Swarm(IReadOnlyList<LabHost> hosts, string docker) => (_hosts, _docker) = (hosts, docker);

    public static async Task<Swarm> StartAsync(LabDescription lab)
    {
        var swarm = new Swarm([.. lab.Hosts.Take(3)], lab.Docker);
        var manager = swarm._hosts[0];
        (await swarm.DockerAsync(manager, "swarm", "init", "--advertise-addr", manager.Address)).OrThrow();
        var token = (await swarm.DockerAsync(manager, "swarm", "join-token", "-q", "worker")).OrThrow().Output.Trim();
        foreach (var worker in swarm._hosts.Skip(1))
        {
            (await swarm.DockerAsync(worker, "swarm", "join", "--token", token, $"{manager.Address}:2377")).OrThrow();
        }

        return swarm;
    }

    /// <summary>From the service's creation until its replicas run, as Swarm itself counts them; the service is removed after.</summary>
    public async Task<TimeSpan> ConvergeAsync(string image, int replicas)
    {
        var manager = _hosts[0];
        var count = replicas.ToString(CultureInfo.InvariantCulture);
        var watch = Stopwatch.StartNew();
        (await DockerAsync(
            manager, "service", "create", "--detach", "--name", "web", "--replicas", count, "--stop-grace-period", "1s", "--no-resolve-image", image)).OrThrow();
        while ((await DockerAsync(manager, "service", "ls", "--format", "{{.Replicas}}")).OrThrow().Output.Trim() != $"{count}/{count}")
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException("Swarm did not run its replicas within two minutes");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        var took = watch.Elapsed;
        (await DockerAsync(manager, "service", "rm", "web")).OrThrow();
        foreach (var host in _hosts)
        {
            await Eventually.See(
                async () => (await DockerAsync(host, "ps", "-aq", "--filter", "label=com.docker.swarm.service.name=web")).OrThrow().Output,
                seen => seen.Length == 0,
                TimeSpan.FromMinutes(1));
        }

        return took;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.Reverse())
        {
            await DockerAsync(host, "swarm", "leave", "--force");
        }
    }

    private Task<Command> DockerAsync(LabHost host, params string[] arguments) =>
        Command.RunAsync(_docker, ["-H", $"unix://{host.Socket}", .. arguments]);
}
