using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// What one proxy sees of an app, averaged over the last seconds: an entry of <see cref="TrafficReport"/>. Rates and not
/// counts: whoever reads them has to remember nothing, and a proxy that starts anew begins with none.
/// </summary>
/// <param name="App"><c>namespace/name</c>.</param>
/// <param name="RequestsPerSecond">That have begun. Null while the proxy has not counted for long enough.</param>
/// <param name="InFlight">Under way on average, those included that wait. Null as above.</param>
/// <param name="Waiting">Requests that wait for a replica now.</param>
/// <param name="Latencies">
/// Of the requests that have ended, how many within each of <see cref="LatencyBuckets"/>; buckets at the end that are empty may be left out. Null when
/// there was no room to tell them.
/// </param>
/// <param name="EndedPerSecond">That have ended.</param>
/// <param name="ErrorsPerSecond">That have ended with 5xx.</param>
public sealed record TrafficObservation(
    [property: JsonPropertyName("app")] string App,
    [property: JsonPropertyName("rps")] double? RequestsPerSecond,
    [property: JsonPropertyName("inFlight")] double? InFlight,
    [property: JsonPropertyName("waiting")] int Waiting,
    [property: JsonPropertyName("latencies")] IReadOnlyList<long>? Latencies = null,
    [property: JsonPropertyName("ended")] double EndedPerSecond = 0,
    [property: JsonPropertyName("errors")] double ErrorsPerSecond = 0);

/// <summary>The text of <see cref="Annotations.Traffic"/>.</summary>
/// <param name="Omitted">How many apps there was no room for. Of those nothing is known; of an app that is not here, else, neither.</param>
public sealed record TrafficReport(
    [property: JsonPropertyName("apps")] IReadOnlyList<TrafficObservation> Apps,
    [property: JsonPropertyName("omitted")] int Omitted = 0)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        RespectNullableAnnotations = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    public static TrafficReport Empty { get; } = new([]);

    /// <returns>Empty when there is nothing to say.</returns>
    public string Write() => Apps.Count == 0 && Omitted == 0 ? "" : JsonSerializer.Serialize(this, Json);

    /// <returns>The empty one for a text that is none: another version of a proxy may have written it.</returns>
    public static TrafficReport Read(string? text)
    {
        try
        {
            return string.IsNullOrEmpty(text) ? Empty : JsonSerializer.Deserialize<TrafficReport>(text, Json) is { Apps: not null } report ? report : Empty;
        }
        catch (JsonException)
        {
            return Empty;
        }
    }
}
