using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>Real engines, and between them and us what networks and forgetful people do.</summary>
[Collection(BreakingHosts.Name)]
public sealed class RelayedEngineTests(WorldToBreak world)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private LabHost Host => world.Lab.Hosts[2];

    [Fact]
    public async Task An_engine_that_is_slow_is_neither_silent_nor_lost()
    {
        await using var relay = new EngineRelay(Host.Socket) { Delay = TimeSpan.FromMilliseconds(250) };
        var before = await AddHostAsync("slow", relay, null);
        var replica = await world.AddReadyReplicaAsync("slow");

        // Several pings and answers later.
        var passed = relay.Passed;
        await Eventually.True(() => relay.Passed > passed + 10);

        var host = await world.SeeHostAsync("slow", _ => true);
        Assert.Equal(Ready(before).LastTransitionTime, Ready(host).LastTransitionTime);
        Assert.Null(host.Status!.Flapping);
        Assert.True((await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Ready);
        await RemoveAsync("slow", replica);
    }

    [Fact]
    public async Task Connections_that_are_half_open_are_given_up_and_the_container_is_found_again()
    {
        await using var relay = new EngineRelay(Host.Socket);
        await AddHostAsync("forgetful", relay, null);
        var replica = await world.AddReadyReplicaAsync("forgetful");

        relay.Forget();
        await world.SeeHostAsync("forgetful", seen => Ready(seen) is { Status: Conditions.Unknown, Reason: "EngineSilent" }, TimeSpan.FromSeconds(15));
        Assert.True((await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Ready);
        relay.Answer();
        await world.SeeHostAsync("forgetful", IsReady);

        var now = await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
        Assert.Equal((replica.Status!.ContainerId, replica.Status.StartedAt, 0), (now.Status!.ContainerId, now.Status.StartedAt, now.Status.Restarts));
        await RemoveAsync("forgetful", replica);
    }

    [Fact]
    public async Task A_link_that_breaks_again_and_again_is_counted_and_the_host_held_back()
    {
        await using var relay = new EngineRelay(Host.Socket);
        var host = await AddHostAsync("shaky", relay, null);
        await BreakAndMendAsync(relay, "shaky");
        Assert.Equal((1, null), Flapping(await world.SeeHostAsync("shaky", IsReady)));
        Assert.DoesNotContain("HostFlapping", world.Events.ReasonsOf(host));

        await BreakAndMendAsync(relay, "shaky");
        var (count, until) = Flapping(await world.SeeHostAsync("shaky", IsReady));
        Assert.Equal(2, count);
        Assert.NotNull(until);

        // It is Ready all the same, and what is bound to it is looked after.
        await RemoveAsync("shaky", await world.AddReadyReplicaAsync("shaky"));

        // Other tests' containers lie on this engine too, and may be cleared away meanwhile.
        Assert.Single(world.Events.ReasonsOf(host), "HostFlapping");
    }

    [Fact]
    public async Task A_certificate_that_has_expired_is_told_and_a_renewed_one_is_enough()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var key = RSA.Create(2048);
        using var authority = Authority(key, now);
        using var expired = Issue(authority, now.AddDays(-10), now.AddDays(-1));
        using var renewed = Issue(authority, now.AddDays(-1), now.AddDays(10));
        using var own = Issue(authority, now.AddDays(-1), now.AddDays(10));
        await world.Kubernetes.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = "renewed-in-time" },
                Data = new Dictionary<string, byte[]>
                {
                    ["ca.crt"] = System.Text.Encoding.ASCII.GetBytes(authority.ExportCertificatePem()),
                    ["tls.crt"] = System.Text.Encoding.ASCII.GetBytes(own.ExportCertificatePem()),
                    ["tls.key"] = System.Text.Encoding.ASCII.GetBytes(own.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem()),
                },
            },
            ApiGroup.SystemNamespace,
            cancellationToken: Cancelled);
        await using var relay = new EngineRelay(Host.Socket) { Certificate = renewed };
        await AddHostAsync("expiring", relay, "renewed-in-time");
        var replica = await world.AddReadyReplicaAsync("expiring");

        // Connections that are open outlive the certificate; the next is refused.
        relay.Certificate = expired;
        relay.Break();
        relay.Mend();
        var refused = Ready(await world.SeeHostAsync("expiring", seen => Ready(seen) is { Status: Conditions.False, Reason: "TlsFailed" }));
        Assert.Contains("its certificate expired on", refused.Message, StringComparison.Ordinal);
        Assert.True((await world.Replicas.GetAsync(ObjectKey.Of(replica), Cancelled))!.Status!.Ready);

        relay.Certificate = renewed;
        await world.SeeHostAsync("expiring", IsReady);
        Assert.Equal(replica.Status!.ContainerId, (await world.SeeAsync(replica, seen => seen.Status is { Ready: true })).Status!.ContainerId);
        await RemoveAsync("expiring", replica);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task An_engine_whose_clock_jumps_restarts_nothing_and_what_ends_is_told_as_ever(int hours)
    {
        await using var relay = new EngineRelay(Host.Socket);
        var name = hours > 0 ? "ahead" : "behind";
        var before = await AddHostAsync(name, relay, null);
        var (stays, ends) = (await world.AddReadyReplicaAsync(name), await world.AddReadyReplicaAsync(name));
        relay.Clock = new JumpedClock(TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(hours));

        // It began before the jump and ends after it.
        await world.Lab.DockerAsync(Host, "kill", AgentWorld.ContainerOf(ends));
        var restarted = await world.SeeAsync(ends, seen => seen.Status is { Ready: true, Restarts: 1 });
        Assert.Equal(137, restarted.Status!.LastTermination?.ExitCode);
        Assert.Equal((hours, hours), (HoursAhead(restarted.Status.StartedAt), HoursAhead(restarted.Status.LastTermination?.FinishedAt)));

        // Whoever comes next goes by times of before the jump and of after it.
        await world.StopAgentAsync();
        world.StartAgent();
        await world.Lab.DockerAsync(Host, "kill", AgentWorld.ContainerOf(ends));
        await world.SeeAsync(ends, seen => seen.Status is { Ready: true, Restarts: 2 });

        var stayed = (await world.Replicas.GetAsync(ObjectKey.Of(stays), Cancelled))!.Status!;
        Assert.Equal((stays.Status!.ContainerId, stays.Status.StartedAt, 0, true), (stayed.ContainerId, stayed.StartedAt, stayed.Restarts, stayed.Ready));
        Assert.Equal(ReadySince(stays.Status.Conditions), ReadySince(stayed.Conditions));
        var host = await world.SeeHostAsync(name, IsReady);
        Assert.Equal((ReadySince(before.Status!.Conditions), null), (ReadySince(host.Status!.Conditions), host.Status.Flapping));
        await world.DeleteAsync(ends);
        await RemoveAsync(name, stays);
    }

    private static int HoursAhead(DateTime? time) => (int)Math.Round((time!.Value - TimeProvider.System.GetUtcNow().UtcDateTime).TotalHours);

    private static DateTime? ReadySince(IEnumerable<V1Condition>? conditions) => Conditions.Find(conditions, ConditionTypes.Ready)?.LastTransitionTime;

    private async Task<DockerHost> AddHostAsync(string name, EngineRelay relay, string? tlsSecretName)
    {
        await world.AddHostAsync(name, relay.Endpoint, tlsSecretName, publishAddress: Host.Address);
        return await world.SeeHostAsync(name, IsReady);
    }

    private async Task RemoveAsync(string host, Api.Replicas.Replica replica)
    {
        await world.DeleteAsync(replica);
        await world.SeeGoneAsync(replica);
        await world.Hosts.DeleteAsync(new ObjectKey(null, host), null, Cancelled);
    }

    private async Task BreakAndMendAsync(EngineRelay relay, string host)
    {
        relay.Break();
        await world.SeeHostAsync(host, seen => !IsReady(seen));
        relay.Mend();
    }

    private static V1Condition Ready(DockerHost host) => Conditions.Find(host.Status?.Conditions, ConditionTypes.Ready) ?? new V1Condition();

    private static bool IsReady(DockerHost host) => Conditions.IsTrue(host.Status?.Conditions, ConditionTypes.Ready);

    private static (int Count, DateTime? Until) Flapping(DockerHost host) => (host.Status!.Flapping?.Count ?? 0, host.Status.Flapping?.Until);

    private static X509Certificate2 Authority(RSA key, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=an authority of the test's own", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(now.AddDays(-30), now.AddDays(30));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=an engine", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
