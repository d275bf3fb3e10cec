using System.Collections.Concurrent;

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

/// <summary>People who visit an app through the proxy, one after the other, until told to stop; they remember what went wrong.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<string> _failures = [];
    private readonly ConcurrentDictionary<string, int> _versions = [];
    private readonly Task[] _visits;
    private int _answered;

    public Visitor(HttpClient http, string app, int people = 2) =>
        _visits = [.. Enumerable.Range(0, people).Select(_ => Task.Run(() => VisitAsync(http, app)))];

    public int Answered => Volatile.Read(ref _answered);

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Versions that have answered.</summary>
    public ICollection<string> Versions => _versions.Keys;

    /// <exception cref="HttpRequestException">The answer is not a success.</exception>
    public static Task<Page> OnceAsync(HttpClient http, string app, CancellationToken cancellationToken = default) =>
        AskAsync(http, app, HttpMethod.Get, "/", cancellationToken);

    /// <summary>A form that takes its time. A POST that was begun is never sent again: it is answered by whom it was sent to, or not at all.</summary>
    /// <inheritdoc cref="OnceAsync" path="/exception"/>
    public static Task<Page> SendFormAsync(HttpClient http, string app, TimeSpan takes) =>
        AskAsync(http, app, HttpMethod.Post, $"/slow?ms={takes.TotalMilliseconds}", CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_visits);
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

    private async Task VisitAsync(HttpClient http, string app)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _versions.TryAdd((await OnceAsync(http, app)).Version, 0);
                Interlocked.Increment(ref _answered);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or TaskCanceledException)
            {
                _failures.Add(failure.Message);
            }
        }
    }
}
