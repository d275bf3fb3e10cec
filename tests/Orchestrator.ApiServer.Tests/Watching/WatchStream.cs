using System.Net;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tests.Watching;

/// <summary>The client's end of a watch.</summary>
internal sealed class WatchStream : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;
    private long _revision;

    private WatchStream(HttpResponseMessage response, Stream body) => (_response, _lines) = (response, new StreamReader(body));

    public JsonNode Last { get; private set; } = new JsonObject();

    /// <summary>Whether each event came with a greater revision than the one before.</summary>
    public bool RevisionsRise { get; private set; } = true;

    public static async Task<WatchStream> OpenAsync(HttpClient client, string path, string? accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Version = HttpVersion.Version20 };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new WatchStream(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The next events, as type and name.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(int count)
    {
        var events = new List<string>();
        while (events.Count < count)
        {
            var next = await NextAsync() ?? throw new InvalidOperationException($"the watch ended after {string.Join(", ", events)}");
            events.Add($"{next["type"]} {next["object"]!["metadata"]!["name"]}");
        }

        return events;
    }

    /// <returns>Null when the watch has ended.</returns>
    public async Task<JsonNode?> NextAsync()
    {
        var line = await _lines.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TimeProvider.System);
        if (line is null)
        {
            return null;
        }

        Last = JsonNode.Parse(line)!;
        if (long.TryParse((string?)Last["object"]!["metadata"]?["resourceVersion"], out var revision))
        {
            RevisionsRise &= revision > _revision;
            _revision = revision;
        }

        return Last;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
