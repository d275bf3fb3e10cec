using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A host that is reached by ssh only: it joins, carries a replica, and no ssh of ours outlives us.</summary>
public sealed class SshHostTests
{
    private const string Ports = "28000-28099";

    [Fact]
    public async Task A_host_joins_by_ssh_and_no_ssh_stays_when_orc_is_killed_or_stopped()
    {
        var host = LabDescription.Read().Hosts[1];
        await using var ssh = await SshServer.StartAsync(host.NetworkNamespace, host.Address, host.Socket);
        await using var installation = await Installation.StartAsync(hosts: 0);

        var added = (await installation.OrcAsync("hosts", "add", "far", "--endpoint", $"ssh://{SshServer.Alias}", "--port-range", Ports)).OrThrow();

        Assert.Contains($"Containers will publish on {host.Address}", added.Errors, StringComparison.Ordinal);
        await installation.ApplyAsync(Manifests.Web("far", installation.Lab.Image("web:v1"), replicas: 1));
        await installation.SeeReady("far", 1);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "far"), page => page.Version == "v1");
        var before = Assert.Single(await installation.ContainersAsync("far"));
        Assert.Contains("web v1 listens", (await installation.OrcAsync("logs", "far")).OrThrow().Output, StringComparison.Ordinal);
        Assert.NotEmpty(ssh.Clients());

        await installation.KillAsync();
        await SeeNoClientAsync(ssh);
        await installation.ServeAsync();
        await Eventually.See(
            async () => (await installation.GetAsync("dockerhost", "far"))["status"]!["conditions"]!.ToJsonString(), seen => seen.Contains("\"EngineReady\"", StringComparison.Ordinal));
        await Eventually.True(() => Task.FromResult(ssh.Clients().Count > 0));
        Assert.Equal(before.Id, Assert.Single(await installation.ContainersAsync("far")).Id);

        Assert.Equal(0, await installation.StopAsync());
        await SeeNoClientAsync(ssh);
    }

    private static Task SeeNoClientAsync(SshServer ssh) => Eventually.See(() => string.Join(' ', ssh.Clients()), seen => seen.Length == 0);
}
