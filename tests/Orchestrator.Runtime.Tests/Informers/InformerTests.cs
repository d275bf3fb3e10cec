using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Threading.Channels;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Runtime.Tests.Informers;

public sealed class InformerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Channel<HttpResponseMessage> _lists = Channel.CreateUnbounded<HttpResponseMessage>();
    private readonly Channel<HttpResponseMessage> _watches = Channel.CreateUnbounded<HttpResponseMessage>();
    private readonly CancellationTokenSource _stop = new();
    private readonly StubWire _wire;
    private readonly Informer<WebApp> _informer;
    private Task _running = Task.CompletedTask;

    public InformerTests()
    {
        _wire = new StubWire(async (request, cancellation) => await (request.IsWatch ? _watches : _lists).Reader.ReadAsync(cancellation));
        _informer = new Informer<WebApp>(new ResourceClient<WebApp>(_wire.Client(), "test"), null, NullLogger.Instance, _time);
    }

    [Fact]
    public async Task It_lists_then_watches_from_the_revision_of_the_list()
    {
        var stream = Watch();
        Start(List(5, App("a", 3)));
        await _informer.WaitForSyncAsync(TestContext.Current.CancellationToken);
        await stream.Send("ADDED", App("b", 6));
        await Eventually.See(Names, names => names is ["a", "b"]);

        Assert.Contains("resourceVersion=5", Watches[0].Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kinds_are_read_in_all_namespaces_but_proxy_leases_only_in_the_systems()
    {
        var wire = new StubWire(async (_, cancellation) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellation);
            throw new InvalidOperationException("never");
        });
        var running = new SharedInformers(wire.Client(), "test", NullLoggerFactory.Instance, _time).RunAsync(_stop.Token);

        await Eventually.True(() => wire.Requests.Count == 6);
        Assert.Equal(
            [
                "/api/v1/configmaps",
                "/api/v1/secrets",
                "/apis/coordination.k8s.io/v1/namespaces/orchestrator-system/leases",
                "/apis/orchestrator.dev/v1/dockerhosts",
                "/apis/orchestrator.dev/v1/replicas",
                "/apis/orchestrator.dev/v1/webapps",
            ],
            wire.Requests.Select(request => request.Path).Order(StringComparer.Ordinal));
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_informer_of_one_namespace_lists_and_watches_there()
    {
        var wire = new StubWire(async (request, cancellation) => await (request.IsWatch ? _watches : _lists).Reader.ReadAsync(cancellation));
        var informer = new Informer<WebApp>(new ResourceClient<WebApp>(wire.Client(), "test"), null, NullLogger.Instance, _time, "shop");
        Watch();
        _lists.Writer.TryWrite(List(5));
        var running = informer.RunAsync(_stop.Token);

        await Eventually.True(() => wire.Requests.Count == 2);
        Assert.All(wire.Requests, request => Assert.Equal("/apis/orchestrator.dev/v1/namespaces/shop/webapps", request.Path));
        Assert.True(wire.Requests[1].IsWatch);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_broken_stream_is_taken_up_where_it_broke()
    {
        var first = Watch();
        Start(List(5));
        await first.Send("ADDED", App("a", 6));
        await first.Send("DELETED", App("a", 7));
        await first.Send("ADDED", App("b", 8));
        await Eventually.See(Names, names => names is ["b"]);
        Watch();
        await first.Break();
        await Advancing(() => Watches.Count == 2);

        // From 5 it would see app a come to life again.
        Assert.Contains("resourceVersion=8", Watches[1].Query, StringComparison.Ordinal);
        Assert.Single(Lists);
    }

    [Fact]
    public async Task A_bookmark_moves_the_revision_on_without_an_object()
    {
        var first = Watch();
        Start(List(5));
        await first.Send("BOOKMARK", new WebApp { Metadata = new() { ResourceVersion = "90" } });
        Watch();
        await first.End();
        await Advancing(() => Watches.Count == 2);

        Assert.Contains("resourceVersion=90", Watches[1].Query, StringComparison.Ordinal);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task An_expired_revision_told_in_the_stream_makes_it_list_anew()
    {
        var first = Watch();
        Start(List(5, App("a", 3)));
        Watch();
        _lists.Writer.TryWrite(List(50, App("b", 40)));
        await first.SendError(410, "Expired");
        await Advancing(() => Names() is ["b"]);
        await Advancing(() => Watches.Count == 2);

        Assert.Contains("resourceVersion=50", Watches[1].Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_revision_answered_to_the_watch_makes_it_list_anew()
    {
        _watches.Writer.TryWrite(StubWire.Failure(HttpStatusCode.Gone, "Expired"));
        Start(List(5, App("a", 3)));
        Watch();
        _lists.Writer.TryWrite(List(50));
        await Advancing(() => Watches.Count == 2);

        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_server_that_ends_each_watch_at_once_is_not_asked_in_a_busy_loop()
    {
        Start(List(5));
        for (var i = 0; i < 3; i++)
        {
            await Watch().End();
        }

        await Eventually.True(() => Watches.Count == 1);
        await Advancing(() => Watches.Count == 2);
        await Advancing(() => Watches.Count == 3);
        Assert.True(_time.GetUtcNow() - _time.Start > TimeSpan.FromMilliseconds(150));
    }

    [Fact]
    public async Task A_stream_that_stays_silent_past_its_timeout_is_given_up()
    {
        Watch();
        Start(List(5));
        await Eventually.True(() => Watches.Count == 1);
        Watch();
        await Advancing(() => Watches.Count == 2, TimeSpan.FromMinutes(1));

        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_server_that_is_away_at_first_is_tried_again()
    {
        _lists.Writer.TryWrite(StubWire.Failure(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable"));
        Watch();
        Start(List(5, App("a", 3)));

        await Advancing(() => _informer.HasSynced);
        Assert.Equal(["a"], Names());
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private List<StubRequest> Watches => [.. _wire.Requests.Where(request => request.IsWatch)];

    private List<StubRequest> Lists => [.. _wire.Requests.Where(request => !request.IsWatch)];

    private static WebApp App(string name, int revision) =>
        new() { Metadata = new() { Name = name, NamespaceProperty = "default", Uid = name, ResourceVersion = $"{revision}" } };

    private static HttpResponseMessage List(int revision, params WebApp[] apps) =>
        StubWire.Json(new CustomResourceList<WebApp> { Kind = "WebAppList", Metadata = new() { ResourceVersion = $"{revision}" }, Items = apps });

    private string[] Names() => [.. _informer.Items.Keys.Select(key => key.Name).Order(StringComparer.Ordinal)];

    private void Start(HttpResponseMessage list)
    {
        _lists.Writer.TryWrite(list);
        _running = _informer.RunAsync(_stop.Token);
    }

    private WatchStream Watch()
    {
        var stream = new WatchStream();
        _watches.Writer.TryWrite(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(stream.Reader) });
        return stream;
    }

    private Task Advancing(Func<bool> until, TimeSpan? step = null) => Eventually.True(() =>
    {
        if (until())
        {
            return true;
        }

        _time.Advance(step ?? TimeSpan.FromMilliseconds(50));
        return false;
    });

    private sealed class WatchStream
    {
        private readonly Pipe _pipe = new();

        public Stream Reader => _pipe.Reader.AsStream();

        public Task Send(string type, WebApp obj) => Line(KubernetesJson.Serialize(new { type, @object = obj }));

        public Task SendError(int code, string reason) => Line(KubernetesJson.Serialize(new
        {
            type = "ERROR",
            @object = new { kind = "Status", apiVersion = "v1", status = "Failure", code, reason, message = reason },
        }));

        public Task End() => _pipe.Writer.CompleteAsync().AsTask();

        public Task Break() => _pipe.Writer.CompleteAsync(new IOException("connection reset")).AsTask();

        private async Task Line(string text) => await _pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
