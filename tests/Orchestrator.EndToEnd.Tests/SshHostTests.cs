using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A host that is reached by ssh only, with a key of its own: it joins, carries a replica, and neither an ssh of ours nor the key outlives us.</summary>
public sealed class SshHostTests
{
    private const string Ports = "28000-28099";

    [Fact]
    public async Task A_host_joins_by_ssh_and_neither_ssh_nor_key_stays_when_orc_is_killed_or_stopped()
    {
        var host = LabDescription.Read().Hosts[1];
        await using var ssh = await SshServer.StartAsync(host.NetworkNamespace, host.Address, host.Socket);
        await using var installation = await Installation.StartAsync(hosts: 0);

        // By a name where ssh has no key of its own that is let in.
        var added = (await installation.OrcAsync(
            "hosts", "add", "far", "--endpoint", $"ssh://root@keyless:{SshServer.Port}", "--port-range", Ports, "--ssh-key", ssh.KeyFile, "--ssh-known-hosts", ssh.KnownHostsFile)).OrThrow();

        Assert.Contains($"Containers will publish on {host.Address}", added.Errors, StringComparison.Ordinal);
        await installation.ApplyAsync(Manifests.Web("far", installation.Lab.Image("web:v1"), replicas: 1));
        await installation.SeeReady("far", 1);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "far"), page => page.Version == "v1");
        var before = Assert.Single(await installation.ContainersAsync("far"));
        Assert.Contains("web v1 listens", (await installation.OrcAsync("logs", "far")).OrThrow().Output, StringComparison.Ordinal);
        Assert.Matches(@"far +1/1 +[0-9]+m", (await installation.OrcAsync("top", "hosts")).OrThrow().Output);
        var key = await Eventually.See(() => Task.FromResult(ssh.KeyFilesOfClients()), seen => seen.Count == 1);

        await installation.KillAsync();
        await SeeNoClientAsync(ssh);
        await installation.ServeAsync();
        await Eventually.See(
            async () => (await installation.GetAsync("dockerhost", "far"))["status"]!["conditions"]!.ToJsonString(), seen => seen.Contains("\"EngineReady\"", StringComparison.Ordinal));
        await Eventually.True(() => Task.FromResult(!File.Exists(key[0])));
        var next = await Eventually.See(() => Task.FromResult(ssh.KeyFilesOfClients()), seen => seen.Count == 1);
        Assert.Equal(before.Id, Assert.Single(await installation.ContainersAsync("far")).Id);

        Assert.Equal(0, await installation.StopAsync());
        await SeeNoClientAsync(ssh);
        Assert.False(File.Exists(next[0]));
    }

    private static Task SeeNoClientAsync(SshServer ssh) => Eventually.See(() => string.Join(' ', ssh.Clients()), seen => seen.Length == 0);
}
