using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Tests.Images;

/// <summary>A look at a host's images: what is taken for whose, what protects it, what is told.</summary>
public sealed class ImageCollectorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly History _history = new();
    private readonly Kubernetes _kubernetes;
    private readonly SharedInformers _informers;
    private readonly ReferencedImages _referenced;
    private readonly PulledImages _pulled = new(null);
    private readonly RecordedEvents _events = new();
    private readonly DockerHost _host = new()
    {
        Metadata = new V1ObjectMeta { Name = $"collected-{Guid.NewGuid():N}", Uid = "host" },
        Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:1", ImageGarbageCollection = new() { MaximumAgeSeconds = 3600 } },
    };

    private ImageCollector? _collector;
    private int _changes;

    public ImageCollectorTests()
    {
        _kubernetes = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" }, _history);
        _informers = new SharedInformers(_kubernetes, "test", NullLoggerFactory.Instance, _time);
        _referenced = new ReferencedImages(_informers, new ResourceClient<V1ControllerRevision>(_kubernetes, "test"), _time);
    }

    public void Dispose()
    {
        _referenced.Dispose();
        _kubernetes.Dispose();
        _history.Dispose();
    }

    [Fact]
    public async Task What_we_pulled_and_nobody_needs_goes_and_the_host_says_so()
    {
        using var engine = Engine("a", "b", "theirs");
        Pull("a", "b");
        _time.Advance(TimeSpan.FromHours(1));
        engine.UsedImages.Add("b");

        await CollectAsync(engine);

        Assert.Equal(["b", "theirs"], engine.Images.Select(image => image.Id));
        Assert.Equal([ImageCollector.RemovedImage], _events.ReasonsOf(_host));
        Assert.Equal("Removed image r.example.org/a:v1: unused for 60 minutes", _events.AllText);
        Assert.Equal(1, ImageMetrics.Removed.WithLabels(_host.Metadata.Name, ImageChoice.ByAge).Value);
        Assert.True(_changes > 0);
    }

    [Fact]
    public async Task An_app_a_replica_or_a_kept_revision_that_names_it_keeps_it()
    {
        using var engine = Engine("app", "replica", "revision", "none");
        Pull("app", "replica", "revision", "none");
        _time.Advance(TimeSpan.FromHours(1));
        _informers.WebApps.Seed(new WebApp { Metadata = Meta(), Spec = new WebAppSpec { Image = "r.example.org/app:v1" } });
        _informers.Replicas.Seed(new Replica { Metadata = Meta(), Spec = new ReplicaSpec { AppName = "web", Template = new() { Image = "r.example.org/replica:v1" } } });
        _history.Images = ["r.example.org/revision:v1"];

        await CollectAsync(engine);

        Assert.Equal(["app", "replica", "revision"], engine.Images.Select(image => image.Id));
    }

    [Fact]
    public async Task Nothing_goes_while_history_is_not_known()
    {
        using var engine = Engine("a");
        Pull("a");
        _time.Advance(TimeSpan.FromHours(1));
        _history.Images = null;

        await Assert.ThrowsAsync<ApiException>(() => CollectAsync(engine));

        Assert.Single(engine.Images);
    }

    [Fact]
    public async Task One_that_got_another_name_meanwhile_has_become_somebody_elses()
    {
        using var engine = Engine();
        engine.Images.Add(new ListedImage("a", ["r.example.org/a:v1", "mine:latest"], [], 1));
        Pull("a");
        _time.Advance(TimeSpan.FromHours(1));

        await CollectAsync(engine);

        Assert.Single(engine.Images);
    }

    [Fact]
    public async Task Others_images_go_when_asked_and_their_age_begins_when_they_are_first_seen()
    {
        _host.Spec.ImageGarbageCollection!.IncludeForeign = true;
        using var engine = Engine("theirs");
        await CollectAsync(engine);
        Assert.Single(engine.Images);
        _time.Advance(TimeSpan.FromHours(1));

        await CollectAsync(engine);

        Assert.Empty(engine.Images);
    }

    [Fact]
    public async Task One_that_the_engine_keeps_stays_and_the_others_go()
    {
        using var engine = new SimulatedEngine
        {
            OnRemoveImage = id => id == "a" ? throw new EngineException(EngineFailure.Conflict, "a container is using it") : Task.CompletedTask,
        };
        Put(engine, "a", "b");
        Pull("a", "b");
        _time.Advance(TimeSpan.FromHours(1));

        await CollectAsync(engine);

        Assert.Equal(["a"], engine.Images.Select(image => image.Id));
    }

    [Fact]
    public async Task One_that_is_being_pulled_stays_and_what_the_pull_brought_is_ours()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var engine = new SimulatedEngine
        {
            OnPull = async _ =>
            {
                begun.SetResult();
                await go.Task;
            },
        };
        Put(engine, "old");
        Pull("old");
        _time.Advance(TimeSpan.FromHours(1));
        var puller = new ImagePuller(new PullSecrets(_kubernetes), _pulled, NullLogger.Instance, _time);
        var replica = new Replica { Metadata = Meta(), Spec = new ReplicaSpec { AppName = "web", Template = new() { Image = "r.example.org/old:v1" } } };
        var pulling = puller.PullAsync(engine, replica, TestContext.Current.CancellationToken);
        await begun.Task;

        await CollectAsync(engine, puller);

        Assert.Single(engine.Images);
        engine.Images[0] = new ListedImage("new", ["r.example.org/old:v1"], [], 1);
        go.SetResult();
        await pulling;
        Assert.Equal("new", _pulled.Snapshot()[0].Id);
        Assert.False(puller.IsPulling("r.example.org/old:v1"));
    }

    private Task CollectAsync(SimulatedEngine engine, ImagePuller? puller = null)
    {
        // One for all looks of a test: it remembers what it has seen.
        _collector ??= new ImageCollector(
            () => _host, _pulled, puller ?? new ImagePuller(new PullSecrets(_kubernetes), _pulled, NullLogger.Instance, _time), _referenced, _events,
            () => _changes++, new Random(1), NullLogger.Instance, _time);
        return _collector.CollectAsync(engine, TestContext.Current.CancellationToken);
    }

    private void Pull(params string[] ids)
    {
        foreach (var id in ids)
        {
            _pulled.Add(id, $"r.example.org/{id}:v1", isNew: true, _time.GetUtcNow());
        }
    }

    private static SimulatedEngine Engine(params string[] ids)
    {
        var engine = new SimulatedEngine();
        Put(engine, ids);
        return engine;
    }

    private static void Put(SimulatedEngine engine, params string[] ids) =>
        engine.Images.AddRange(ids.Select(id => new ListedImage(id, [$"r.example.org/{id}:v1"], [], 1)));

    private static V1ObjectMeta Meta() => new() { Name = "web", NamespaceProperty = "default", Uid = "uid", ResourceVersion = "1" };

    /// <summary>An API server that has nothing but ControllerRevisions that name images; null: it fails.</summary>
    private sealed class History : DelegatingHandler
    {
        public IReadOnlyList<string>? Images { get; set; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Images is null)
            {
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError) { RequestMessage = request, Content = new StringContent("{}") });
            }

            var items = Images.Select((image, i) =>
                $$$"""{"metadata":{"name":"web-{{{i}}}","labels":{"{{{Labels.App}}}":"web"}},"data":{"spec":{"image":"{{{image}}}"}},"revision":{{{i}}}}""");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                RequestMessage = request,
                Content = new StringContent($$"""{"apiVersion":"apps/v1","kind":"ControllerRevisionList","metadata":{},"items":[{{string.Join(',', items)}}]}"""),
            });
        }
    }
}
