using System.Collections.Concurrent;
using System.Diagnostics;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>What the sample image says of itself.</summary>
internal sealed record Page(string Version, string Replica, string Host)
{
    public static Page Read(string body)
    {
        var fields = body.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(": ", 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
        return new Page(fields["version"], fields["replica"], fields["host"]);
    }
}

/// <summary>People who visit an app through the proxy, one visit after the other, until told to stop; they remember what went wrong.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    /// <summary>Of one visit. None that is meant to be served takes nearly as long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After a visit: each person asks about forty times a second. Without it a few of them take all processors from those who are to
    /// start, stop and move what they visit.
    /// </summary>
    private static readonly TimeSpan UsualPause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly ConcurrentDictionary<string, int> _versions = [];
    private readonly Func<Task<string>>? _witness;
    private readonly Task[] _visits;
    private int _answered;
    private Task<string>? _seen;

    /// <param name="witness">As of the other constructor.</param>
    public Visitor(HttpClient http, string app, int people = 2, TimeSpan? pause = null, Func<Task<string>>? witness = null)
        : this("GET", async cancellationToken => (await OnceAsync(http, app, cancellationToken)).Version, people, pause ?? UsualPause, witness)
    {
    }

    /// <param name="what">What is asked, for people.</param>
    /// <param name="visit">Gives the version that answered, and throws when not all came, or not what should.</param>
    /// <param name="pause">After each visit.</param>
    /// <param name="witness">Asked when the first visit fails, since the reason may be gone at the end: what there is to see of it.</param>
    public Visitor(
        string what, Func<CancellationToken, Task<string>> visit, int people, TimeSpan pause = default, Func<Task<string>>? witness = null)
    {
        (What, _witness) = (what, witness);
        _visits = [.. Enumerable.Range(0, people).Select(_ => Task.Run(() => VisitAsync(visit, pause)))];
    }

    public string What { get; }

    public int Answered => Volatile.Read(ref _answered);

    /// <summary>What came instead of an answer; what was asked, and when.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Versions that have answered.</summary>
    public ICollection<string> Versions => _versions.Keys;

    /// <exception cref="HttpRequestException">The answer is not a success.</exception>
    public static Task<Page> OnceAsync(HttpClient http, string app, CancellationToken cancellationToken = default) =>
        AskAsync(http, app, HttpMethod.Get, "/", cancellationToken);

    /// <summary>A page that takes some 20 ms of a processor's time.</summary>
    /// <inheritdoc cref="OnceAsync" path="/exception"/>
    public static Task<Page> HaveWorkDoneAsync(HttpClient http, string app, CancellationToken cancellationToken) =>
        AskAsync(http, app, HttpMethod.Get, "/work", cancellationToken);

    /// <summary>A form that takes its time. A POST that was begun is never sent again: it is answered by whom it was sent to, or not at all.</summary>
    /// <inheritdoc cref="OnceAsync" path="/exception"/>
    public static Task<Page> SendFormAsync(HttpClient http, string app, TimeSpan takes) =>
        AskAsync(http, app, HttpMethod.Post, $"/slow?ms={takes.TotalMilliseconds}", CancellationToken.None);

    /// <summary>Once the visits that are under way have ended.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_visits);
    }

    /// <exception cref="InvalidOperationException">A visit has failed so far: how many, why, and what was to be seen then, in few lines.</exception>
    public async Task NoneFailedAsync()
    {
        if (!_failures.IsEmpty)
        {
            var (failures, seen) = (_failures.ToArray(), Volatile.Read(ref _seen) is { } task ? await task : "");
            throw new InvalidOperationException($"{failures.Length} visits failed, {Answered} did not\nfirst: {failures[0]}\nlast: {failures[^1]}\n{seen}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static async Task<Page> AskAsync(HttpClient http, string app, HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Host = Manifests.HostName(app) } };
        using var answer = await http.SendAsync(request, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode
            ? Page.Read(body)
            : throw new HttpRequestException($"{(int)answer.StatusCode}: {body}", null, answer.StatusCode);
    }

    private async Task VisitAsync(Func<CancellationToken, Task<string>> visit, TimeSpan pause)
    {
        while (!_stop.IsCancellationRequested)
        {
            var (at, watch) = (TimeProvider.System.GetUtcNow(), Stopwatch.StartNew());
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                _versions.TryAdd(await visit(patience.Token), 0);
                Interlocked.Increment(ref _answered);
            }
            catch (Exception failure)
            {
                _failures.Enqueue($"{Words(failure)} ({What}, asked at {at:HH:mm:ss.fff}, failed {watch.Elapsed.TotalSeconds:F3} s later)");
                if (_witness is not null && Volatile.Read(ref _seen) is null)
                {
                    // Beside the visits, which go on. Two of them may both ask.
                    Volatile.Write(ref _seen, SeeAsync(_witness));
                }
            }

            await Pace.PassAsync(pause);
        }
    }

    private static async Task<string> SeeAsync(Func<Task<string>> witness)
    {
        try
        {
            return await witness();
        }
        catch (Exception failure)
        {
            return $"nothing to be seen: {Words(failure)}";
        }
    }

    private static string Words(Exception failure) =>
        failure.InnerException is { } inner ? $"{failure.Message.TrimEnd()} {Words(inner)}" : failure.Message.TrimEnd();
}
