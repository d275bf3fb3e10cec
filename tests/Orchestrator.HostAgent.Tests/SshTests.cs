using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;
using Orchestrator.Testing.Lab;

namespace Orchestrator.HostAgent.Tests;

/// <summary>What ssh and docker on the other machine say and do, with real ones of both.</summary>
[Collection(BreakingHosts.Name)]
public sealed class SshTests(WorldToBreak world, SshHostToBreak ssh) : IClassFixture<SshHostToBreak>, IDisposable
{
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _nowhere.Dispose();

    [Theory]
    [InlineData("ssh://root@unknown:2222", EngineFailure.Ssh, "the host key of unknown is not known here")]
    [InlineData("ssh://root@changed:2222", EngineFailure.Ssh, "the host key of changed is another than the known one")]
    [InlineData("ssh://root@keyless:2222", EngineFailure.Ssh, "keyless lets nobody in with the ssh keys")]
    [InlineData("ssh://nobody-there@ADDRESS:2222", EngineFailure.Ssh, "lets nobody in with the ssh keys")]
    [InlineData("ssh://root@ADDRESS:2223", EngineFailure.Refused, "does an ssh server run and listen there?")]
    [InlineData("ssh://root@no-such-host.invalid", EngineFailure.Unreachable, "the name no-such-host.invalid cannot be resolved")]
    [InlineData("ssh://bare@ADDRESS:2222", EngineFailure.Refused, "install Docker's client there")]
    [InlineData("ssh://deploy@ADDRESS:2222", EngineFailure.Refused, "the user deploy has no permission to use the engine's socket")]
    [InlineData("ssh://root@ADDRESS:2222/run/none.sock", EngineFailure.Refused, "at /run/none.sock: is Docker installed and running there?")]
    public async Task Each_failure_says_what_to_do(string endpoint, EngineFailure expected, string says)
    {
        var failure = await Assert.ThrowsAsync<EngineException>(
            async () => (await ConnectAsync(endpoint.Replace("ADDRESS", ssh.Server.Address, StringComparison.Ordinal))).Dispose());

        Assert.Equal((expected, true), (failure.Failure, failure.Message.Contains(says, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData($"ssh://{SshServer.Alias}")]
    [InlineData($"ssh://{SshServer.Alias}/run/docker.sock")]
    public async Task A_name_of_sshs_configuration_is_enough_and_so_is_one_login(string endpoint)
    {
        var logins = ssh.Server.Logins;
        using (var engine = await ConnectAsync(endpoint))
        {
            await using var events = await engine.OpenEventsAsync("nobody", Cancelled);
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => engine.ListAsync("nobody", Cancelled)));
            await Eventually.True(() => Task.FromResult(engine.PeerAddress == ssh.Server.Address));

            Assert.Equal(1, ssh.Server.Logins - logins);
        }

        await SeeNoClientAsync();
    }

    /// <summary>What <c>orc top</c> asks for, beside all else: as many connections at once a server with its default settings drops in part.</summary>
    [Fact]
    public async Task Many_calls_at_once_all_come_about_by_a_few_logins_and_hold_up_no_short_one()
    {
        var container = await world.Lab.DockerAsync(ssh.Host, "run", "--detach", world.Lab.WebImage);
        try
        {
            using (var engine = await ConnectAsync(ssh.Server.EndpointOf("root")))
            {
                var logins = ssh.Server.Logins;
                var streams = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => engine.OpenEventsAsync("nobody", Cancelled)));
                var samples = Task.WhenAll(Enumerable.Range(0, 64).Select(_ => engine.SampleAsync(container, Cancelled)));
                var execs = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => engine.ExecAsync(container, ["true"], TimeSpan.FromSeconds(30), Cancelled)));
                do
                {
                    Assert.Empty(await engine.ListAsync("nobody", Cancelled));
                }
                while (!samples.IsCompleted);

                Assert.All(await samples, Assert.NotNull);
                Assert.All(await execs, exitCode => Assert.Equal(0, exitCode));
                Assert.InRange(ssh.Server.Logins - logins, 1, 5);
                foreach (var stream in streams)
                {
                    await stream.DisposeAsync();
                }
            }

            await SeeNoClientAsync();
        }
        finally
        {
            await world.Lab.DockerAsync(ssh.Host, "rm", "--force", container);
        }
    }

    [Fact]
    public async Task When_ssh_is_killed_the_stream_ends_and_the_next_call_logs_in_anew()
    {
        using (var engine = await ConnectAsync(ssh.Server.EndpointOf("root")))
        {
            await using var events = await engine.OpenEventsAsync("nobody", Cancelled);
            var next = events.NextAsync(Cancelled);
            ssh.Server.KillClients();

            Assert.Null(await EndAsync(next));
            Assert.Empty(await engine.ListAsync("nobody", Cancelled));
        }

        await SeeNoClientAsync();
    }

    [Fact]
    public async Task A_cut_link_is_seen_within_seconds_and_the_host_comes_back_with_it()
    {
        await world.AddHostAsync("by-ssh", ssh.Server.EndpointOf("root"), null);
        await world.SeeHostAsync("by-ssh", seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        var replica = await world.AddReadyReplicaAsync("by-ssh");
        await Lab.DoAsync("cut", ssh.Host);
        try
        {
            var silent = await world.SeeHostAsync(
                "by-ssh",
                seen => Conditions.Find(seen.Status?.Conditions, ConditionTypes.Ready) is { Status: Conditions.Unknown },
                TimeSpan.FromSeconds(10));
            Assert.Equal("EngineSilent", Conditions.Find(silent.Status!.Conditions, ConditionTypes.Ready)!.Reason);
        }
        finally
        {
            await Lab.DoAsync("mend", ssh.Host);
        }

        await world.SeeHostAsync("by-ssh", seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        Assert.Equal(replica.Status!.ContainerId, (await world.SeeAsync(replica, seen => seen.Status is { Ready: true })).Status!.ContainerId);
        await world.DeleteAsync(replica);
        await world.SeeGoneAsync(replica);
        await world.Hosts.DeleteAsync(new ObjectKey(null, "by-ssh"), null, Cancelled);
        await SeeNoClientAsync();
    }

    private static async Task<EngineEvent?> EndAsync(Task<EngineEvent?> next)
    {
        try
        {
            return await next.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        }
        catch (EngineException failure) when (failure.Failure == EngineFailure.Interrupted)
        {
            return null;
        }
    }

    private Task SeeNoClientAsync() => Eventually.See(() => string.Join(' ', ssh.Server.Clients()), seen => seen.Length == 0);

    private Task<IEngine> ConnectAsync(string endpoint) => new EngineConnector(_nowhere, TimeProvider.System).ConnectAsync(
        new DockerHost { Metadata = new V1ObjectMeta { Name = "by-ssh" }, Spec = new DockerHostSpec { Endpoint = endpoint } },
        new EnginePipeline("by-ssh", TimeProvider.System),
        Cancelled);
}
