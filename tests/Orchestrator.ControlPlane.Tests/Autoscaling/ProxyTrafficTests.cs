using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

/// <summary>Over a cache that only the test fills.</summary>
public sealed class ProxyTrafficTests : IDisposable
{
    private static readonly ObjectKey Web = new("sites", "web");

    private readonly FakeTimeProvider _time = new();
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "http://nowhere.invalid" });
    private readonly SharedInformers _informers;
    private readonly ProxyTraffic _traffic;
    private readonly List<ObjectKey> _waits = [];
    private int _revision;

    public ProxyTrafficTests()
    {
        _informers = new SharedInformers(_nowhere, "test", NullLoggerFactory.Instance, _time);
        _traffic = new ProxyTraffic(_informers, new LiveProxies(_informers, _time)) { Waits = _waits.Add };
    }

    public void Dispose() => _nowhere.Dispose();

    [Fact]
    public void What_several_proxies_see_adds_up()
    {
        Tell("a", new TrafficObservation("sites/web", 10.5, 2, 0, [1, 2]));
        Tell("b", new TrafficObservation("sites/web", 4.5, 1, 3, [0, 1, 5]), new TrafficObservation("sites/other", 99, 99, 0));

        var seen = _traffic.Of(Web);
        Assert.Equal((null, 15, 3, 3), (seen.Problem, seen.RequestsPerSecond, seen.InFlight, seen.Waiting));
        Assert.Equal([1L, 3L, 5L], seen.Latencies);
    }

    [Fact]
    public void What_one_proxy_does_not_tell_is_not_known_but_what_waits_is()
    {
        Assert.Equal("no proxy is there to see it", _traffic.Of(Web).Problem);

        Tell("a", new TrafficObservation("sites/web", null, null, 2));
        Assert.Equal(("proxy a has only just begun to count", 2), (_traffic.Of(Web).Problem, _traffic.Of(Web).Waiting));

        Tell("a", new TrafficObservation("sites/web", 1, 1, 0));
        Assert.Null(_traffic.Of(Web).Problem);
        Write("b", null);
        Assert.Equal("proxy b does not tell of it", _traffic.Of(Web).Problem);
        Write("b", "[what is this");
        Assert.Equal("proxy b does not tell of it", _traffic.Of(Web).Problem);
        Write("b", new TrafficReport([], Omitted: 3).Write());
        Assert.Equal("proxy b has no room to tell of it among so many apps", _traffic.Of(Web).Problem);
    }

    [Fact]
    public void A_proxy_whose_lease_has_run_out_counts_no_more()
    {
        Tell("a", new TrafficObservation("sites/web", 10, 2, 1));
        _time.Advance(TimeSpan.FromSeconds(6));
        Tell("b", new TrafficObservation("sites/web", 3, 1, 0));
        Assert.Equal(13, _traffic.Of(Web).RequestsPerSecond);

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((null, 3, 0), (_traffic.Of(Web).Problem, _traffic.Of(Web).RequestsPerSecond, _traffic.Of(Web).Waiting));
    }

    [Fact]
    public void An_app_that_is_waited_for_is_told_when_it_is_said_and_not_at_each_renewal()
    {
        Tell("a", new TrafficObservation("sites/web", 0, 0, 0));
        Assert.Empty(_waits);

        Tell("a", new TrafficObservation("sites/web", 0, 1, 1));
        Tell("a", new TrafficObservation("sites/web", 0, 1, 1));
        Assert.Equal([Web], _waits);
    }

    private void Tell(string proxy, params TrafficObservation[] apps) => Write(proxy, new TrafficReport(apps).Write());

    private void Write(string proxy, string? text)
    {
        V1Lease lease = new()
        {
            Metadata = new()
            {
                Name = proxy,
                NamespaceProperty = ApiGroup.SystemNamespace,
                Uid = proxy,
                ResourceVersion = $"{++_revision}",
                Annotations = text is null ? null : new Dictionary<string, string> { [Annotations.Traffic] = text },
            },
            Spec = new() { LeaseDurationSeconds = 10 },
        };
        _informers.ProxyLeases.Seed(lease);
    }
}
