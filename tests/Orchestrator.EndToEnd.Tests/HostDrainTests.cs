using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A host is emptied while people visit, and gets its share again.</summary>
public sealed class HostDrainTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    private const int Replicas = 6;

    /// <summary>A host is left alone for half a minute before anything moves on to it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private Installation Installation => shared.Installation;

    [Fact]
    public async Task Nobody_notices_that_a_host_is_drained_nor_that_replicas_move_on_to_it_again()
    {
        await Installation.ApplyAsync(Manifests.Web("web", Installation.Lab.Image("web:v1"), Replicas));
        await Installation.SeeReady("web", Replicas);
        await Eventually.See(() => Visitor.OnceAsync(Installation.Http, "web"), page => page.Version == "v1");
        var host = Installation.Lab.Hosts[2].Name;
        await using var visitor = Installation.Visit("web", people: 4);

        var drained = (await Installation.OrcAsync("hosts", "drain", host, "--timeout", "60s")).OrThrow();

        Assert.EndsWith($"dockerhost.orchestrator.dev/{host} drained\n", drained.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(await Installation.ContainersAsync("web"), container => container.Host == host);
        await Installation.SeeReady("web", Replicas);

        (await Installation.OrcAsync("hosts", "uncordon", host)).OrThrow();
        await Eventually.See(
            () => Installation.ContainersAsync("web"),
            seen => seen.Count == Replicas && seen.CountBy(container => container.Host).All(there => there.Value == Replicas / Installation.Lab.Hosts.Count),
            Limit);
        await Installation.SeeReady("web", Replicas);
        await Eventually.See(() => Visitor.OnceAsync(Installation.Http, "web"), page => page.Host == host, Limit);
        Assert.Contains($"for {host}, which has 0", (await Installation.KubectlAsync("get", "events")).OrThrow().Output, StringComparison.Ordinal);
        await visitor.NoneFailedAsync();
    }
}
