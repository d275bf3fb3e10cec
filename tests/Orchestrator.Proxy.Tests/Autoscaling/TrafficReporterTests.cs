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
    public void Only_of_apps_that_are_scaled_by_it()
    {
        Add("plain", wish: null);
        Assert.Equal("", TrafficReporter.Write(_apps, room: 1000));

        Add("web", new(Latencies: false, Holds: false));
        Assert.Equal("""{"apps":[{"app":"report/web"}]}""", TrafficReporter.Write(_apps, room: 1000));
        Seconds(3);
        Assert.Equal("""{"apps":[{"app":"report/web","rps":0,"inFlight":0}]}""", TrafficReporter.Write(_apps, room: 1000));
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
        app.Count(wish);
        _apps.Add(app);
    }

    private void Seconds(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _apps.ForEach(app => app.Traffic?.Sample());
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
