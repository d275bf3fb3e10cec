using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Events;

namespace Orchestrator.Runtime.Tests.Events;

public sealed class EventRecorderTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task An_event_says_what_happened_to_which_object()
    {
        var wire = new StubWire(request => StubWire.Json(request.Read<Corev1Event>()));
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web"), EventTypes.Warning, "RouteConflict", "example.org/ is served by default/shop");
        }

        var request = Assert.Single(wire.Requests);
        Assert.Equal(("POST", "/api/v1/namespaces/sites/events"), (request.Method, request.Path));
        var written = request.Read<Corev1Event>();
        Assert.Equal(("WebApp", "sites", "web", "uid-web"), (
            written.InvolvedObject.Kind, written.InvolvedObject.NamespaceProperty, written.InvolvedObject.Name, written.InvolvedObject.Uid));
        Assert.Equal(("Warning", "RouteConflict", "example.org/ is served by default/shop", 1, "test"), (
            written.Type, written.Reason, written.Message, written.Count, written.Source.Component));
        Assert.Equal(_time.GetUtcNow().UtcDateTime, written.LastTimestamp);
    }

    [Fact]
    public async Task An_event_about_a_cluster_wide_object_goes_where_Kubernetes_puts_it()
    {
        var wire = new StubWire(request => StubWire.Json(request.Read<Corev1Event>()));
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(new DockerHost { Metadata = new() { Name = "h1", Uid = "u" } }, EventTypes.Normal, "Ready", "It answers.");
        }

        Assert.Equal("/api/v1/namespaces/default/events", Assert.Single(wire.Requests).Path);
    }

    [Fact]
    public async Task A_repeated_event_is_counted_up_in_the_one_object()
    {
        var wire = new StubWire(request => StubWire.Json(request.Method == "POST" ? request.Read<Corev1Event>() : new Corev1Event()));
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web"), EventTypes.Normal, "Pulled", "once");
            await Eventually.True(() => wire.Requests.Count == 1);
            recorder.Record(App("web"), EventTypes.Normal, "Pulled", "once");
            await Eventually.True(() => wire.Requests.Count == 2);
        }

        var name = wire.Requests[0].Read<Corev1Event>().Metadata.Name;
        Assert.Equal(("PATCH", $"/api/v1/namespaces/sites/events/{name}"), (wire.Requests[1].Method, wire.Requests[1].Path));
        Assert.Equal(2, wire.Requests[1].Read<Corev1Event>().Count);
    }

    [Fact]
    public async Task A_series_whose_object_has_expired_goes_on_in_a_new_one()
    {
        var wire = new StubWire(request => request.Method == "POST"
            ? StubWire.Json(request.Read<Corev1Event>())
            : StubWire.Failure(HttpStatusCode.NotFound, "NotFound"));
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web"), EventTypes.Normal, "Pulled", "once");
            await Eventually.True(() => wire.Requests.Count == 1);
            recorder.Record(App("web"), EventTypes.Normal, "Pulled", "once");
        }

        Assert.Equal(["POST", "PATCH", "POST"], wire.Requests.Select(request => request.Method));
        Assert.Equal(2, wire.Requests[2].Read<Corev1Event>().Count);
    }

    [Fact]
    public async Task Recording_never_waits_and_a_full_queue_drops_the_oldest()
    {
        var gate = new TaskCompletionSource();
        var wire = new StubWire(async (request, cancellation) =>
        {
            await gate.Task.WaitAsync(cancellation);
            return StubWire.Json(request.Read<Corev1Event>());
        });
        var droppedBefore = EventMetrics.DroppedFull.Value;
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web"), EventTypes.Normal, "R", "first");
            await Eventually.True(() => wire.Requests.Count == 1);
            for (var i = 0; i < EventRecorder.QueueCapacity + 5; i++)
            {
                recorder.Record(App("web"), EventTypes.Normal, "R", $"{i}");
            }

            gate.SetResult();
            await Eventually.True(() => wire.Requests.Count == EventRecorder.QueueCapacity + 1);
        }

        Assert.Equal(5, EventMetrics.DroppedFull.Value - droppedBefore);
        Assert.Equal(["first", "5", "6"], wire.Requests.Take(3).Select(request => request.Read<Corev1Event>().Message));
    }

    [Fact]
    public async Task Occurrences_that_come_while_one_is_written_are_written_as_one()
    {
        var gate = new TaskCompletionSource();
        var wire = new StubWire(async (request, cancellation) =>
        {
            await gate.Task.WaitAsync(cancellation);
            return StubWire.Json(request.Method == "POST" ? request.Read<Corev1Event>() : new Corev1Event());
        });
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web"), EventTypes.Normal, "Restarted", "again");
            await Eventually.True(() => wire.Requests.Count == 1);
            for (var i = 0; i < 99; i++)
            {
                recorder.Record(App("web"), EventTypes.Normal, "Restarted", "again");
            }

            gate.SetResult();
        }

        Assert.Equal(2, wire.Requests.Count);
        Assert.Equal(100, wire.Requests[1].Read<Corev1Event>().Count);
    }

    [Fact]
    public async Task A_refused_event_is_given_up_and_the_next_one_is_written()
    {
        var wire = new StubWire(request => request.Path.Contains("gone", StringComparison.Ordinal)
            ? StubWire.Failure(HttpStatusCode.Forbidden, "Forbidden")
            : StubWire.Json(request.Read<Corev1Event>()));
        await using (var recorder = Recorder(wire))
        {
            recorder.Record(App("web", "gone"), EventTypes.Normal, "R", "a");
            recorder.Record(App("web"), EventTypes.Normal, "R", "b");
        }

        Assert.Equal(["a", "b"], wire.Requests.Select(request => request.Read<Corev1Event>().Message));
    }

    [Fact]
    public async Task An_event_outlasts_a_short_absence_of_the_server()
    {
        var failures = 2;
        var wire = new StubWire(request => failures-- > 0
            ? throw new HttpRequestException("connection refused")
            : StubWire.Json(request.Read<Corev1Event>()));
        await using var recorder = Recorder(wire);
        recorder.Record(App("web"), EventTypes.Normal, "R", "a");

        await Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return wire.Requests.Count == 3;
        });
    }

    private EventRecorder Recorder(StubWire wire) => new(wire.Client(), "test", NullLoggerFactory.Instance, _time);

    private static WebApp App(string name, string @namespace = "sites") =>
        new() { Metadata = new() { Name = name, NamespaceProperty = @namespace, Uid = "uid-" + name } };
}
