using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Tests.WebApps;

/// <summary>Over caches that only the test fills.</summary>
public sealed class ListenerErrorsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "http://nowhere.invalid" });
    private readonly SharedInformers _informers;
    private readonly ListenerErrors _errors;
    private readonly List<IReadOnlyList<ObjectKey>> _affected = [];
    private int _revision;

    public ListenerErrorsTests()
    {
        _informers = new SharedInformers(_nowhere, "test", NullLoggerFactory.Instance, _time);
        _errors = new ListenerErrors(_informers, new LiveProxies(_informers, _time));
        _informers.ProxyLeases.Subscribe(change => _affected.Add([.. _errors.AffectedBy(change)]));
    }

    public void Dispose() => _nowhere.Dispose();

    [Theory]
    [InlineData("9090: Address already in use", "9090: Address already in use (proxy edge-1)")]
    [InlineData("80: Permission denied; 9090: Address already in use", "9090: Address already in use (proxy edge-1)")]
    [InlineData("a.example.org:9090/: is on the shared listener", "a.example.org:9090/: is on the shared listener (proxy edge-1)")]
    [InlineData("b.example.org:9090/: is on the shared listener", null)]
    [InlineData("80: Permission denied", null)]
    [InlineData("9090", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void An_app_is_told_what_concerns_its_port_or_its_claims(string? said, string? error)
    {
        Lease("edge-1", said);

        Assert.Equal(error is null ? [] : [error], _errors.Of(App("web", 9090, "a.example.org")).Errors);
    }

    [Fact]
    public void An_app_of_the_shared_listener_is_told_nothing()
    {
        Lease("edge-1", "9090: Address already in use");

        var (errors, recheckAfter) = _errors.Of(App("web", port: null));
        Assert.Empty(errors);
        Assert.Null(recheckAfter);
    }

    [Fact]
    public void What_several_proxies_say_is_told_once()
    {
        Lease("edge-2", "9090: Address already in use");
        Lease("edge-1", "9090: Address already in use");

        Assert.Equal(["9090: Address already in use (proxy edge-1 and 1 more)"], _errors.Of(App("web", 9090)).Errors);
    }

    [Fact]
    public void A_proxy_that_does_not_renew_its_lease_counts_until_it_has_run_out()
    {
        var app = App("web", 9090);
        Lease("edge-1", "9090: Address already in use");
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(6), _errors.Of(app).RecheckAfter);

        Lease("edge-1", "9090: Address already in use");
        Assert.Equal(TimeSpan.FromSeconds(10), _errors.Of(app).RecheckAfter);

        _time.Advance(TimeSpan.FromSeconds(10));
        var (errors, recheckAfter) = _errors.Of(app);
        Assert.Empty(errors);
        Assert.Null(recheckAfter);
    }

    [Fact]
    public void Only_a_change_of_what_is_said_concerns_apps_and_only_those_of_the_port()
    {
        App("web", 9090);
        App("shop", 9091);
        App("shared", null);
        var web = new ObjectKey("sites", "web");
        Lease("edge-1", null);
        Lease("edge-1", "9090: Address already in use");
        Lease("edge-1", "9090: Address already in use");
        Lease("edge-1", null);

        Assert.Equal([[], [web], [], [web]], _affected);
    }

    private WebApp App(string name, int? port, params string[] hosts)
    {
        var app = new WebApp
        {
            Metadata = new() { Name = name, NamespaceProperty = "sites", Uid = name, ResourceVersion = $"{++_revision}" },
            Spec = new() { Image = "web:1", Route = new() { Port = port, Hosts = hosts } },
        };
        _informers.WebApps.Seed(app);
        return app;
    }

    private void Lease(string name, string? said) => _informers.ProxyLeases.Seed(new V1Lease
    {
        Metadata = new()
        {
            Name = name,
            NamespaceProperty = ApiGroup.SystemNamespace,
            Uid = name,
            ResourceVersion = $"{++_revision}",
            Annotations = said is null ? null : new Dictionary<string, string> { [Annotations.ListenerErrors] = said },
        },
        Spec = new() { LeaseDurationSeconds = 10 },
    });
}
