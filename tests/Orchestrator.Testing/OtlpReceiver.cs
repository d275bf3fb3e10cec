using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Testing;

/// <summary>A span as a receiver has it. A number among its attributes is its text.</summary>
/// <param name="Service">What its sender calls itself.</param>
public sealed record ReceivedSpan(
    string TraceId, string SpanId, string? ParentSpanId, string Name, int Kind, int Status, IReadOnlyDictionary<string, string> Attributes, string? Service)
{
    /// <summary>Of OTLP's SpanKind.</summary>
    public const int Server = 2;

    /// <summary>Of OTLP's SpanKind.</summary>
    public const int Client = 3;

    /// <summary>Of OTLP's StatusCode.</summary>
    public const int Error = 2;

    public string? this[string attribute] => Attributes.GetValueOrDefault(attribute);
}

/// <summary>A real receiver of OTLP, by gRPC and by HTTP: the Aspire dashboard, which tells what it got by an API of its own.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly TemporaryFolder _home;
    private readonly HttpClient _http = new();
    private readonly Process _process;
    private readonly Uri _api;

    private OtlpReceiver(TemporaryFolder home, Process process, Uri api, Uri grpc, Uri overHttp) =>
        (_home, _process, _api, Grpc, OverHttp) = (home, process, api, grpc, overHttp);

    public Uri Grpc { get; }

    public Uri OverHttp { get; }

    public static async Task<OtlpReceiver> StartAsync()
    {
        static Uri Next() => new($"http://127.0.0.1:{FreePort.Next()}");
        var (api, grpc, overHttp) = (Next(), Next(), Next());
        var start = new ProcessStartInfo(await Dependency.PathOf("aspire-dashboard")) { RedirectStandardOutput = true, RedirectStandardError = true };
        var home = new TemporaryFolder();
        start.Environment["HOME"] = home.Path;
        start.Environment["ASPNETCORE_URLS"] = api.ToString();
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = grpc.ToString();
        start.Environment["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = overHttp.ToString();
        start.Environment["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true";
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var receiver = new OtlpReceiver(home, process, api, grpc, overHttp);
        try
        {
            await Eventually.True(async () => (await receiver.SpansAsync()).Count >= 0, TimeSpan.FromSeconds(90));
            return receiver;
        }
        catch
        {
            await receiver.DisposeAsync();
            throw;
        }
    }

    /// <summary>All that it has of a trace, in the order in which they began.</summary>
    public async Task<IReadOnlyList<ReceivedSpan>> TraceAsync(string traceId) => [.. (await SpansAsync()).Where(span => span.TraceId == traceId)];

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
        _home.Dispose();
    }

    private async Task<IReadOnlyList<ReceivedSpan>> SpansAsync()
    {
        var answer = JsonNode.Parse(await _http.GetStringAsync(new Uri(_api, "api/telemetry/spans?limit=10000")))!;
        return
        [
            .. from resource in answer["data"]!["resourceSpans"]!.AsArray()
               from scope in resource!["scopeSpans"]!.AsArray()
               from span in scope!["spans"]!.AsArray()
               orderby long.Parse(TextOf(span!["startTimeUnixNano"])!, CultureInfo.InvariantCulture)
               select SpanOf(span!, AttributesOf(resource["resource"]!).GetValueOrDefault("service.name")),
        ];
    }

    private static ReceivedSpan SpanOf(JsonNode span, string? service) => new(
        (string)span["traceId"]!,
        (string)span["spanId"]!,
        (string?)span["parentSpanId"],
        (string)span["name"]!,
        (int)span["kind"]!,
        (int?)span["status"]?["code"] ?? 0,
        AttributesOf(span),
        service);

    private static Dictionary<string, string> AttributesOf(JsonNode node) => (node["attributes"]?.AsArray() ?? [])
        .ToDictionary(one => (string)one!["key"]!, one => TextOf(one!["value"]!.AsObject().First().Value)!);

    private static string? TextOf(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? (string?)value : value?.ToJsonString();
}
