using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Autoscaling;

public sealed class TrafficReporterTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<AppState> _apps = [];

    public void Dispose() => _apps.ForEach(app => app.Dispose());

    [Fact]
    public void All_apps_are_told_those_that_are_scaled_by_it_first()
    {
        Assert.Equal("", TrafficReporter.Write(_apps, room: 1000));

        Add("plain", wish: null);
        Add("web", new(Latencies: false, Holds: false));
        Assert.Equal("""{"apps":[{"app":"report/web"},{"app":"report/plain"}]}""", TrafficReporter.Write(_apps, room: 1000));
        Seconds(1);
        Ask("plain", requests: 3, status: 503);
        Seconds(3);
        Assert.Equal(
            """{"apps":[{"app":"report/web","rps":0,"inFlight":0,"latencies":[]},{"app":"report/plain","rps":1,"inFlight":0,"latencies":[3],"ended":1,"errors":1}]}""",
            TrafficReporter.Write(_apps, room: 1000));
    }

    [Fact]
    public void Of_the_others_the_busiest_are_told_where_there_is_no_room_for_all()
    {
        for (var n = 0; n < 20; n++)
        {
            Add($"app-{n:00}", wish: null);
        }

        Add("scaled", new(Latencies: false, Holds: false));
        Seconds(1);
        Ask("app-07", requests: 2);
        Ask("app-13", requests: 9);
        Seconds(3);

        var text = TrafficReporter.Write(_apps, room: 500);

        var report = TrafficReport.Read(text);
        Assert.InRange(text.Length, 300, 500);
        Assert.Equal(["report/scaled", "report/app-13", "report/app-07", "report/app-00"], report.Apps.Take(4).Select(app => app.App));
        Assert.InRange(report.Omitted, 1, 17);
        Assert.Equal(21, report.Apps.Count + report.Omitted);
    }

    [Fact]
    public void Latencies_that_an_app_is_not_scaled_by_take_no_room_from_the_rates_of_those_that_are_scaled()
    {
        for (var n = 0; n < 20; n++)
        {
            Add($"app-{n:00}", new(Latencies: n == 19, Holds: false));
        }

        Seconds(1);
        _apps.ForEach(app => Ask(app.Key.Name, requests: 2, took: TimeSpan.FromSeconds(60)));
        Seconds(3);
        Assert.All(TrafficReport.Read(TrafficReporter.Write(_apps, room: 10_000)).Apps, app => Assert.Equal(2, app.Latencies!.Sum()));

        var told = TrafficReport.Read(TrafficReporter.Write(_apps, room: 2_500));

        Assert.Equal((20, 0), (told.Apps.Count, told.Omitted));
        Assert.Equal(["report/app-19"], told.Apps.Where(app => app.Latencies is not null).Select(app => app.App));
    }

    [Fact]
    public async Task Those_that_are_waited_for_come_first_where_there_is_no_room_for_all()
    {
        for (var n = 0; n < 20; n++)
        {
            Add($"app-{n:00}", new(Latencies: false, Holds: true));
        }

        Seconds(3);
        using var gone = new CancellationTokenSource();
        var waits = _apps[17].HoldAsync(_time.GetTimestamp(), gone.Token);

        var text = TrafficReporter.Write(_apps, room: 400);

        var report = TrafficReport.Read(text);
        Assert.InRange(text.Length, 200, 400);
        Assert.Equal(20, report.Apps.Count + report.Omitted);
        Assert.Equal(["report/app-17", "report/app-00", "report/app-01"], report.Apps.Take(3).Select(app => app.App));
        Assert.Equal(1, report.Apps[0].Waiting);
        await gone.CancelAsync();
        Assert.Equal(HoldEnd.ClientGone, await waits);
    }

    private void Add(string name, TrafficWish? wish)
    {
        AppState app = new(new("report", name), new SharedRandom(1), _time);
        app.ScaleBy(wish);
        _apps.Add(app);
    }

    private void Ask(string name, int requests, int status = 200, TimeSpan took = default)
    {
        var traffic = _apps.Single(app => app.Key.Name == name).Traffic;
        for (var n = 0; n < requests; n++)
        {
            traffic.Begin();
            traffic.End(status, took);
        }
    }

    private void Seconds(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _apps.ForEach(app => app.Traffic.Sample());
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
