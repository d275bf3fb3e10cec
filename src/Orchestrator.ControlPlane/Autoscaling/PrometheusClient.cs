using System.Globalization;
using System.Text.Json;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>A number, or why there is none, for people.</summary>
internal readonly record struct Answer(double? Value, string? Problem);

/// <summary>Asks Prometheus servers for one number each. Who may write a WebApp says which server: so no redirect is followed, and nothing of an answer is told but its number and Prometheus' own sentence.</summary>
internal sealed class PrometheusClient(TimeProvider time) : IDisposable
{
    /// <summary>Others wait for their turn; a query that takes longer is none to ask every 15 s.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Bytes. One number has some hundred.</summary>
    private const int LongestAnswer = 256 * 1024;

    /// <summary>Characters of a server's sentence that are told.</summary>
    private const int LongestProblem = 200;

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = LongestAnswer,
    };

    public async Task<Answer> AskAsync(PrometheusQuery query, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate($"{query.Address.TrimEnd('/')}/api/v1/query?query={Uri.EscapeDataString(query.Query)}", UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            return new(null, "its address is no http or https URL");
        }

        using var enough = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, enough.Token);
        try
        {
            using var response = await _http.GetAsync(url, either.Token);
            var text = await response.Content.ReadAsStringAsync(either.Token);
            return Read(text) ?? new(null, $"{url.Authority} does not answer as Prometheus does (status {(int)response.StatusCode})");
        }
        catch (HttpRequestException failure)
        {
            return new(null, $"{url.Authority} cannot be asked: {failure.HttpRequestError}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, $"{url.Authority} has not answered within {Timeout.TotalSeconds:0} s");
        }
    }

    public void Dispose() => _http.Dispose();

    /// <returns>Null when it is no answer of Prometheus.</returns>
    internal static Answer? Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var answer = document.RootElement;
            if (answer.GetProperty("status").GetString() == "error")
            {
                var sentence = answer.GetProperty("error").GetString() ?? "";
                return new(null, $"Prometheus refuses the query: {(sentence.Length <= LongestProblem ? sentence : sentence[..LongestProblem] + "…")}");
            }

            var data = answer.GetProperty("data");
            var result = data.GetProperty("result");
            switch (data.GetProperty("resultType").GetString())
            {
                case "scalar":
                    return Number(result);
                case "vector":
                    return result.GetArrayLength() switch
                    {
                        0 => new(null, "the query gives no number now"),
                        1 => Number(result[0].GetProperty("value")),
                        var several => new(null, string.Create(CultureInfo.InvariantCulture, $"the query gives {several} numbers: it must give one, as sum(…) does")),
                    };
                default:
                    return new(null, "the query gives no instant vector or scalar");
            }
        }
        catch (Exception other) when (other is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <param name="sample">A pair of time and text.</param>
    private static Answer? Number(JsonElement sample) =>
        sample is { ValueKind: JsonValueKind.Array } && sample.GetArrayLength() == 2
            && double.TryParse(sample[1].GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? double.IsFinite(value) && value >= 0 ? new(value, null) : new(null, "the query gives no finite number of at least 0")
            : null;
}
