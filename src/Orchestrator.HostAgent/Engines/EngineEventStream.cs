using System.Globalization;
using System.Text.Json;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Docker's event stream: one JSON object a line.</summary>
internal sealed class EngineEventStream(Stream stream, Func<Exception, EngineException?> classify) : IEngineEventStream
{
    private readonly StreamReader _lines = new(stream);

    public async Task<EngineEvent?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _lines.ReadLineAsync(cancellationToken) is { } line)
            {
                if (Parse(line) is { } happened)
                {
                    return happened;
                }
            }

            return null;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested && classify(failure) is { } classified)
        {
            throw classified;
        }
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>Null for what is not an event of a container.</returns>
    internal static EngineEvent? Parse(string line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return null;
        }

        using var json = JsonDocument.Parse(line);
        if (!json.RootElement.TryGetProperty("Action", out var action)
            || !json.RootElement.TryGetProperty("Actor", out var actor)
            || !actor.TryGetProperty("ID", out var id))
        {
            return null;
        }

        var attributes = new Dictionary<string, string>();
        if (actor.TryGetProperty("Attributes", out var given) && given.ValueKind == JsonValueKind.Object)
        {
            foreach (var attribute in given.EnumerateObject())
            {
                attributes[attribute.Name] = attribute.Value.GetString() ?? "";
            }
        }

        long? exitCode = long.TryParse(attributes.GetValueOrDefault("exitCode"), CultureInfo.InvariantCulture, out var code) ? code : null;
        var at = json.RootElement.TryGetProperty("timeNano", out var time) && time.TryGetInt64(out var nanoseconds) ? nanoseconds : 0;
        return new EngineEvent(
            action.GetString() ?? "", id.GetString() ?? "", attributes, exitCode, DateTimeOffset.UnixEpoch.AddTicks(at / TimeSpan.NanosecondsPerTick));
    }
}
