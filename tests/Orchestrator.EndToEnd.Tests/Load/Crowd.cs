using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests.Load;

/// <summary>
/// Visitors of every kind at once, as many as leave two processors time for three engines and a rollout.
/// </summary>
internal sealed class Crowd : IAsyncDisposable
{
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(5);
    private readonly IReadOnlyList<Visitor> _kinds;

    public Crowd(SiteVisits visits) => _kinds =
    [
        new("GET", visits.LookAsync, people: 4, ShortPause),
        new("GET on a new connection", visits.LookOnNewConnectionAsync, people: 2, ShortPause),
        new("POST", visits.PostAsync, people: 2, ShortPause),
        new("upload", visits.UploadAsync, people: 3),
        new("slow answer", visits.WaitAsync, people: 6),
        new("events", visits.FollowAsync, people: 6),
        new("WebSocket", visits.TalkAsync, people: 6),
    ];

    /// <summary>Served to the end, streams and conversations count as one.</summary>
    public int Answered => _kinds.Sum(kind => kind.Answered);

    public IReadOnlyList<string> Failures => [.. _kinds.SelectMany(kind => kind.Failures)];

    /// <summary>Waits until visitors of every kind were served by a version.</summary>
    public Task SeeEverywhere(string version) => Eventually.See(
        () => string.Join(", ", _kinds.Where(kind => !kind.Versions.Contains(version)).Select(kind => kind.What)),
        unseen => unseen.Length == 0);

    /// <summary>Once all visits that are under way have ended: none that was begun goes uncounted.</summary>
    public Task StopAsync() => Task.WhenAll(_kinds.Select(kind => kind.StopAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (var kind in _kinds)
        {
            await kind.DisposeAsync();
        }
    }
}
