using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Acme;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.ControlPlane.Tests.Cluster;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Tests.Acme;

/// <summary>When certificates are ordered, by a clock that the test turns; the API server is a real one, the authority the tests' own.</summary>
public sealed class AcmeReconcilerTests : IAsyncLifetime
{
    private static readonly ObjectKey Web = new(TestCluster.Namespace, "web");

    private readonly EagerClock _time = new();
    private readonly CertificateStates _orders = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _events = [];
    private TestCluster _cluster = null!;
    private TestAcmeServer _server = null!;
    private Authority _authority = null!;
    private SharedInformers _informers = null!;
    private HeldHosts _hosts = null!;
    private Challenges _challenges = null!;
    private AcmeReconciler _reconciler = null!;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        _server = new(_time);
        _informers = new(_cluster.Kubernetes, "test", NullLoggerFactory.Instance, TimeProvider.System);
        var client = new ContentClient(_cluster.Kubernetes, "test");
        var options = new AcmeOptions { Email = "web@example.org", Directory = TestAcmeServer.Directory };
        _authority = new(options, new(options.Directory, _server, _time), new(_cluster.Kubernetes, client), _time);
        _hosts = new(_informers.WebApps);
        _challenges = new(_cluster.Kubernetes, client, new LiveProxies(_informers, _time), _time);
        _reconciler = Reconciler(_authority);
        _running = _informers.RunAsync(_stop.Token);
        await _informers.WaitForSyncAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _authority.Dispose();
        _stop.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_certificate_is_kept_for_the_app_and_renewed_at_two_thirds_of_its_life()
    {
        var app = await ApplyAsync("shop.example.org");

        await ReconcileAsync();
        var first = await SecretAsync();
        Assert.Equal("kubernetes.io/tls", first!.Type);
        Assert.Equal(app.Metadata.Uid, Assert.Single(first.Metadata.OwnerReferences).Uid);
        Assert.Equal(["Normal AcmeIssued: a certificate was issued for shop.example.org"], _events);

        _time.Advance(TimeSpan.FromDays(56));
        Assert.InRange((await ReconcileAsync()).LookAgainAfter!.Value, TimeSpan.FromMinutes(1), TimeSpan.FromHours(12));
        Assert.Single(_server.Orders);
        Assert.Null(_orders.Of(Web));

        _time.Advance(TimeSpan.FromDays(4.1));
        await ReconcileAsync();
        Assert.Equal(2, _server.Orders.Count);
        Assert.NotEqual(first.Data["tls.crt"], (await SecretAsync())!.Data["tls.crt"]);
        Assert.Equal(1, _server.Accounts);
    }

    [Fact]
    public async Task What_fails_is_tried_again_after_longer_and_longer_and_told_of()
    {
        await ApplyAsync("shop.example.org");
        _server.InvalidHost = "shop.example.org";

        var waits = new List<TimeSpan>();
        for (var tries = 1; tries <= 12; tries++)
        {
            await ReconcileAsync();
            Assert.Equal(tries, _server.Orders.Count);
            var state = _orders.Of(Web)!;
            Assert.Equal((false, "AcmeOrderFailed"), (state.IsReady, state.Reason));
            Assert.StartsWith("no certificate could be ordered: shop.example.org: the authorization is invalid", state.Message, StringComparison.Ordinal);
            Assert.Contains("; tried again at 20", state.Message, StringComparison.Ordinal);

            var wait = (await ReconcileAsync()).LookAgainAfter!.Value;
            Assert.Equal(tries, _server.Orders.Count);
            waits.Add(wait);
            _time.Advance(wait);
        }

        Assert.InRange(waits[0], TimeSpan.FromMinutes(0.9), TimeSpan.FromMinutes(2));
        Assert.InRange(waits[4], TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(32));
        Assert.InRange(waits[^1], TimeSpan.FromHours(5.9), TimeSpan.FromHours(12));

        _server.InvalidHost = null;
        await ReconcileAsync();
        await ReconcileAsync();
        Assert.NotNull(await SecretAsync());
        Assert.Null(_orders.Of(Web));
        Assert.Empty(await ChallengesAsync());
    }

    [Fact]
    public async Task The_authority_has_the_last_word_on_when()
    {
        await ApplyAsync("shop.example.org");
        _server.AnswerToOrders = () =>
        {
            var answer = TestAcmeServer.Problem(HttpStatusCode.TooManyRequests, "rateLimited", "too many");
            answer.Headers.RetryAfter = new(TimeSpan.FromHours(5));
            return answer;
        };

        await ReconcileAsync();

        Assert.InRange((await ReconcileAsync()).LookAgainAfter!.Value, TimeSpan.FromHours(4.9), TimeSpan.FromHours(5));
    }

    [Fact]
    public async Task Other_hosts_are_ordered_for_at_once_and_what_was_there_stays_until_then()
    {
        await ApplyAsync("shop.example.org");
        await ReconcileAsync();
        var first = await SecretAsync();
        _server.InvalidHost = "new.example.org";
        await SetHostsAsync("new.example.org", "shop.example.org");

        await ReconcileAsync();
        Assert.Equal(first!.Data["tls.crt"], (await SecretAsync())!.Data["tls.crt"]);

        // No wait is for others than those that failed.
        _server.InvalidHost = null;
        await SetHostsAsync("other.example.org", "shop.example.org");
        await ReconcileAsync();
        Assert.Equal(["shop.example.org", "new.example.org shop.example.org", "other.example.org shop.example.org"], _server.Orders);
        using var read = Read((await SecretAsync())!);
        Assert.True(read.Names("other.example.org") && read.Names("shop.example.org"));
    }

    [Fact]
    public async Task None_is_ordered_for_a_host_that_another_app_has()
    {
        await _cluster.ApplyAsync("older", 0, spec => spec.Route = new() { Hosts = ["shop.example.org"] });
        await Eventually.True(() => _informers.WebApps.Get(new(TestCluster.Namespace, "older")) is not null);
        await ApplyAsync("shop.example.org", "mine.example.org");

        await ReconcileAsync();
        Assert.Equal(["mine.example.org"], _server.Orders);

        await SetHostsAsync("shop.example.org");
        await ReconcileAsync();
        Assert.Single(_server.Orders);
        Assert.Equal("AcmeNoHosts", _orders.Of(Web)!.Reason);
    }

    [Fact]
    public async Task None_is_ordered_for_an_app_whose_port_is_for_another_ones_connections()
    {
        await _cluster.ApplyAsync("older", 0, spec => spec.Route = new() { Protocol = ReplicaProtocols.Tcp, Port = 9000 });
        await Eventually.True(() => _informers.WebApps.Get(new(TestCluster.Namespace, "older")) is not null);
        await _cluster.ApplyAsync("web", 0, spec => spec.Route = new() { Hosts = ["shop.example.org"], Port = 9000, Tls = new() { Acme = true } });
        await Eventually.True(() => _informers.WebApps.Get(Web) is not null);

        await ReconcileAsync();

        Assert.Empty(_server.Orders);
        Assert.Equal("AcmeNoHosts", _orders.Of(Web)!.Reason);
    }

    [Fact]
    public async Task A_secret_that_is_not_the_apps_is_left_alone()
    {
        await _cluster.Kubernetes.CoreV1.CreateNamespacedSecretAsync(new() { Metadata = new() { Name = "web-acme-tls" } }, TestCluster.Namespace);
        await ApplyAsync("shop.example.org");

        await ReconcileAsync();

        Assert.Equal((false, "AcmeSecretTaken"), (_orders.Of(Web)!.IsReady, _orders.Of(Web)!.Reason));
        Assert.Empty(_server.Orders);
        Assert.Null((await SecretAsync())!.Data);
    }

    [Fact]
    public async Task Without_an_authority_apps_are_told_so()
    {
        await ApplyAsync("shop.example.org");
        var without = Reconciler(null);

        await without.ReconcileAsync(Web, TestContext.Current.CancellationToken);

        Assert.Equal(
            new CertificateState(false, "AcmeNotConfigured", "no authority is configured: start the controllers (orc serve) with --acme-email and --acme-accept-terms"),
            _orders.Of(Web));
    }

    [Theory]
    [InlineData("t-2,t-1", false)]
    [InlineData("t-1", true)]
    [InlineData(null, true)]
    public async Task The_authority_is_not_sent_for_before_proxies_that_live_have_the_answers_or_a_moment_has_passed(string? told, bool waits)
    {
        var app = await ApplyAsync("shop.example.org");
        var lease = new V1Lease
        {
            Metadata = new()
            {
                Name = "one",
                NamespaceProperty = ApiGroup.SystemNamespace,
                Labels = new Dictionary<string, string> { [Labels.Component] = Labels.ProxyComponent },
                Annotations = told is null ? null : new Dictionary<string, string> { [Annotations.Challenges] = told },
            },
            Spec = new() { HolderIdentity = "one", LeaseDurationSeconds = 10 },
        };
        await _cluster.Kubernetes.CoordinationV1.CreateNamespacedLeaseAsync(lease, ApiGroup.SystemNamespace);
        await Eventually.True(() => _informers.ProxyLeases.Items.Count == 1);

        var begin = _time.GetUtcNow();
        await _challenges.ShowAsync(app, new Dictionary<string, string> { ["t-1"] = "a", ["t-2"] = "b" }, TestContext.Current.CancellationToken);

        Assert.Equal(["acme.sites.web"], await ChallengesAsync());
        Assert.Equal(waits, _time.GetUtcNow() - begin >= TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task An_account_that_the_authority_has_forgotten_is_made_anew()
    {
        await ApplyAsync("shop.example.org");
        await ReconcileAsync();
        _server.ForgetAccounts();
        await SetHostsAsync("other.example.org");

        await ReconcileAsync();
        Assert.EndsWith("no such account (accountDoesNotExist)", _orders.Of(Web)!.Message.Split(';')[0], StringComparison.Ordinal);
        Assert.Equal(["Normal AcmeIssued", "Warning AcmeOrderFailed"], _events.Select(entry => entry.Split(':')[0]));

        _time.Advance(TimeSpan.FromMinutes(3));
        await ReconcileAsync();
        Assert.Equal(1, _server.Accounts);
        using var read = Read((await SecretAsync())!);
        Assert.True(read.Names("other.example.org"));
    }

    [Fact]
    public async Task Of_two_who_make_the_account_both_have_the_same()
    {
        var keys = new AccountKeys(_cluster.Kubernetes, new ContentClient(_cluster.Kubernetes, "test"));

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => keys.GetAsync(TestContext.Current.CancellationToken)));

        Assert.Single(made.Select(key => key.Thumbprint).Distinct());
        Array.ForEach(made, key => key.Dispose());
    }

    private AcmeReconciler Reconciler(Authority? authority) =>
        new(_informers, _hosts, authority, _challenges, new ContentClient(_cluster.Kubernetes, "test"), _orders, new Recorder(_events), _time, new Random(1));

    private Task<ReconcileResult> ReconcileAsync() => _reconciler.ReconcileAsync(Web, TestContext.Current.CancellationToken);

    private async Task<WebApp> ApplyAsync(params string[] hosts)
    {
        var app = await _cluster.ApplyAsync("web", 0, spec => spec.Route = new() { Hosts = hosts, Tls = new() { Acme = true } });
        await Eventually.True(() => _informers.WebApps.Get(Web) is not null);
        return app;
    }

    private async Task SetHostsAsync(params string[] hosts)
    {
        var app = await _cluster.PatchAsync("web", new { route = new { hosts } });
        await Eventually.True(() => _informers.WebApps.Get(Web)?.Metadata.Generation == app.Metadata.Generation);
    }

    private static KeyedCertificate Read(V1Secret secret) => KeyedCertificate.Read(secret.Data["tls.crt"], secret.Data["tls.key"]);

    private Task<V1Secret?> SecretAsync() =>
        new ContentClient(_cluster.Kubernetes, "test").GetSecretAsync(new(TestCluster.Namespace, "web-acme-tls"), TestContext.Current.CancellationToken);

    private async Task<IEnumerable<string>> ChallengesAsync() =>
        (await _cluster.Kubernetes.CoreV1.ListNamespacedSecretAsync(ApiGroup.ProxyNamespace)).Items.Select(secret => secret.Metadata.Name);

    private sealed class Recorder(List<string> events) : IEventRecorder
    {
        public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) => events.Add($"{type} {reason}: {message}");
    }
}
