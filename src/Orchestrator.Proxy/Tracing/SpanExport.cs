using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Orchestrator.Proxy.Tracing;

/// <summary>Has spans made of requests, and sends them to an OTLP receiver.</summary>
internal sealed partial class SpanExport : IAsyncDisposable
{
    public const string SourceName = "Orchestrator.Proxy";

    /// <summary>At a stop, for what still waits: long enough for any receiver that is there, short beside a drain.</summary>
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(3);

    private const string SamplerVariable = "OTEL_TRACES_SAMPLER";

    /// <summary>Those that the library knows.</summary>
    private static readonly string[] Samplers =
    [
        "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
    ];

    private readonly ActivitySource _source = new(SourceName);
    private readonly TracerProvider _provider;

    private SpanExport(Uri endpoint, OtlpProtocol protocol, string instance, ILogger logger, TimeProvider time)
    {
        // The library passes over what it does not know, in silence.
        if (Environment.GetEnvironmentVariable(SamplerVariable) is { Length: > 0 } sampler && !Samplers.Contains(sampler, StringComparer.OrdinalIgnoreCase))
        {
            Log.UnknownSampler(logger, SamplerVariable, sampler, string.Join(", ", Samplers));
        }

        var isGrpc = protocol == OtlpProtocol.Grpc;
        var otlp = new OtlpExporterOptions
        {
            Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
            Endpoint = isGrpc ? endpoint : new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/v1/traces"),
        };
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SourceName)

            // What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before what we say.
            .ConfigureResource(resource => resource
                .Clear()
                .AddService("orchestrator-proxy", serviceVersion: typeof(SpanExport).Assembly.GetName().Version?.ToString(3), serviceInstanceId: instance)
                .AddTelemetrySdk()
                .AddEnvironmentVariableDetector())
            .AddProcessor(SpanQueue.To(otlp, logger, time))
            .Build();
        Log.Begun(logger, otlp.Endpoint);
    }

    /// <summary>Null unless it is wanted.</summary>
    /// <param name="instance">What this proxy is told apart by.</param>
    public static SpanExport? Of(ProxyOptions options, string instance, ILogger<SpanExport> logger, TimeProvider time) =>
        options.OtlpEndpoint is { } endpoint ? new SpanExport(endpoint, options.OtlpProtocol, instance, logger, time) : null;

    /// <inheritdoc cref="RequestSpans.Begin"/>
    public RequestSpans? Begin(HttpContext context) => RequestSpans.Begin(_source, context);

    /// <summary>Sends what waits, if that can be done in a few seconds.</summary>
    public async ValueTask DisposeAsync() => await Task.Run(() =>
    {
        _provider.Shutdown((int)FlushTimeout.TotalMilliseconds);
        _provider.Dispose();
        _source.Dispose();
    });

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Spans of requests go to {Endpoint}")]
        public static partial void Begun(ILogger logger, Uri endpoint);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Variable}: there is no sampler \"{Sampler}\" but {Known}; all traces are sampled that their beginners sample")]
        public static partial void UnknownSampler(ILogger logger, string variable, string sampler, string known);
    }
}
