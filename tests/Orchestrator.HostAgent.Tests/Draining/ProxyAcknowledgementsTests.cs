using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Draining;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Tests.Draining;

public sealed class ProxyAcknowledgementsTests : IDisposable
{
    private readonly SettableTime _time = new();
    private readonly SteadyClock _clock;
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
    private readonly Informer<V1Lease> _leases;
    private readonly ProxyAcknowledgements _acknowledgements;
    private int _revision;

    public ProxyAcknowledgementsTests()
    {
        _leases = new Informer<V1Lease>(new ResourceClient<V1Lease>(_nowhere, "test"), null, NullLogger.Instance, _time);
        _clock = new SteadyClock(_time);
        _acknowledgements = new ProxyAcknowledgements(_leases, _clock, _time);
        _leases.Subscribe(_acknowledgements.Take);
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    public void Dispose() => _nowhere.Dispose();

    [Fact]
    public void Without_a_proxy_nothing_is_waited_for() => Assert.Null(CheckAt());

    [Fact]
    public void Every_live_proxy_must_have_let_go()
    {
        Write("proxy-a", Now, "other,uid-1");
        Write("proxy-b", Now, "");
        Assert.Equal(Now.AddSeconds(10), CheckAt());
        Write("proxy-b", Now, "uid-1");
        Assert.Null(CheckAt());
    }

    [Fact]
    public void A_uid_that_only_begins_alike_is_another() =>
        Assert.False(ProxyAcknowledgements.Acknowledges(Lease("proxy", Now, "uid-12, uid-2"), "uid-1"));

    [Fact]
    public void An_expired_Lease_counts_no_more()
    {
        Write("dead", Now.AddHours(-1), "");
        Assert.Null(CheckAt());
    }

    [Fact]
    public void A_Lease_that_ran_out_while_the_API_server_was_away_gets_its_duration_to_be_renewed()
    {
        Write("away", Now.AddSeconds(-30), "");
        Assert.Equal(Now.AddSeconds(10), CheckAt());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(CheckAt());
    }

    [Fact]
    public void A_Lease_that_is_not_renewed_expires_and_its_proxy_is_waited_for_no_longer()
    {
        Write("proxy", Now, "");
        Assert.NotNull(CheckAt());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(CheckAt(since: 10));
    }

    [Fact]
    public void A_proxy_whose_clock_is_behind_lives_as_long_as_it_renews()
    {
        Write("behind", Now.AddMinutes(-5), "");
        _time.Advance(TimeSpan.FromSeconds(3));
        Write("behind", Now.AddMinutes(-5), "");
        Assert.Equal(Now.AddSeconds(10), CheckAt());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(CheckAt());
    }

    [Fact]
    public void A_proxy_whose_clock_is_ahead_lives_no_longer_than_others()
    {
        Write("ahead", Now.AddHours(1), "");
        Assert.Equal(Now.AddSeconds(10), CheckAt());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(CheckAt());
    }

    [Fact]
    public void A_clock_that_is_set_back_prolongs_no_wait()
    {
        Write("proxy", Now, "");
        var leaving = _clock.Now;
        _time.SetBack(TimeSpan.FromMinutes(10));
        Assert.Equal(leaving.AddSeconds(10), _acknowledgements.CheckAt(Deleted(leaving), leaving));
        _time.Advance(TimeSpan.FromSeconds(7));
        Write("proxy", Now, "");
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(leaving.AddSeconds(17), _acknowledgements.CheckAt(Deleted(leaving), leaving));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(_acknowledgements.CheckAt(Deleted(leaving), leaving));
    }

    [Fact]
    public void The_drain_timeout_ends_the_wait()
    {
        Write("proxy", Now, "");
        Assert.Equal(Now.AddSeconds(1), CheckAt(since: 29));
        Assert.Null(CheckAt(since: 30));
    }

    [Fact]
    public void Time_in_which_nobody_could_hear_of_the_deletion_is_not_counted_as_drained()
    {
        Write("proxy", Now, "");
        Assert.Equal(Now.AddSeconds(10), CheckAt(since: 0, deletedSince: 3600));
    }

    /// <param name="since">Seconds since the agent saw the deletion.</param>
    /// <param name="deletedSince">Seconds since the deletion itself, when that is longer.</param>
    private DateTimeOffset? CheckAt(int since = 0, int deletedSince = 0) =>
        _acknowledgements.CheckAt(Deleted(Now.AddSeconds(-Math.Max(since, deletedSince))), _clock.Now.AddSeconds(-since));

    private static Replica Deleted(DateTimeOffset at) => new()
    {
        Metadata = new V1ObjectMeta { Uid = "uid-1", DeletionTimestamp = at.UtcDateTime },
        Spec = new ReplicaSpec { Template = new ReplicaTemplate { DrainTimeoutSeconds = 30 } },
    };

    private void Write(string name, DateTimeOffset renewed, string drained) => _leases.Seed(Lease(name, renewed, drained));

    private V1Lease Lease(string name, DateTimeOffset renewed, string drained) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = ApiGroup.SystemNamespace,
            Uid = name,
            ResourceVersion = (++_revision).ToString(System.Globalization.CultureInfo.InvariantCulture),
            Annotations = new Dictionary<string, string> { [Annotations.Drained] = drained },
        },
        Spec = new V1LeaseSpec { LeaseDurationSeconds = 10, RenewTime = renewed.UtcDateTime },
    };
}
