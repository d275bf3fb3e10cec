using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;
using Prometheus;

namespace Orchestrator.Proxy.Tracing;

/// <summary>
/// Spans that wait to be sent, so many and no more (OTEL_BSP_MAX_QUEUE_SIZE, 2048 by default): a receiver that is away or slow costs
/// spans, never requests. A thread of the library's own sends them.
/// </summary>
internal sealed partial class SpanQueue : BatchActivityExportProcessor
{
    private static readonly Counter Spans = Metrics.CreateCounter(
        "orchestrator_proxy_spans_total",
        "Spans for the OTLP receiver: sent, failed (it took them not), dropped (too many waited).", "result");

    private static readonly Counter.Child Sent = Spans.WithLabels("sent");

    internal static readonly Counter.Child Failed = Spans.WithLabels("failed");

    internal static readonly Counter.Child Dropped = Spans.WithLabels("dropped");

    private readonly Exporter _exporter;
    private readonly int _most;

    private SpanQueue(Exporter exporter, BatchExportActivityProcessorOptions options)
        : base(
            exporter,
            options.MaxQueueSize,
            options.ScheduledDelayMilliseconds,
            options.ExporterTimeoutMilliseconds,
            Math.Min(options.MaxExportBatchSize, options.MaxQueueSize)) =>
        (_exporter, _most) = (exporter, options.MaxQueueSize);

    public static SpanQueue To(OtlpExporterOptions options, ILogger logger, TimeProvider time) => new(new Exporter(options, logger, time), new());

    public override void OnEnd(Activity data)
    {
        if (!data.Recorded)
        {
            return;
        }

        // The library would drop it likewise, and tell nobody.
        if (_exporter.TryCountIn(_most))
        {
            base.OnEnd(data);
        }
        else
        {
            Dropped.Inc();
        }
    }

    private sealed class Exporter(OtlpExporterOptions options, ILogger logger, TimeProvider time) : OtlpTraceExporter(options)
    {
        /// <summary>A receiver may be away for days.</summary>
        private static readonly TimeSpan WarningPeriod = TimeSpan.FromMinutes(5);


        private readonly Uri _endpoint = options.Endpoint;
        private int _waiting;
        private double _toldLost = Lost;
        private long? _toldAt;

        private static double Lost => Failed.Value + Dropped.Value;

        /// <returns>False: as many wait.</returns>
        public bool TryCountIn(int most)
        {
            if (Interlocked.Increment(ref _waiting) <= most)
            {
                return true;
            }

            Interlocked.Decrement(ref _waiting);
            return false;
        }

        public override ExportResult Export(in Batch<Activity> batch)
        {
            var count = (int)batch.Count;
            var result = base.Export(batch);
            Interlocked.Add(ref _waiting, -count);
            (result == ExportResult.Success ? Sent : Failed).Inc(count);
            Tell();
            return result;
        }

        private void Tell()
        {
            var lost = Lost;
            if (lost > _toldLost && !(_toldAt is { } at && time.GetElapsedTime(at) < WarningPeriod))
            {
                Log.Lost(logger, lost - _toldLost, _endpoint);
                (_toldLost, _toldAt) = (lost, time.GetTimestamp());
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Spans} spans are lost: {Endpoint} takes none or not as many (orchestrator_proxy_spans_total)")]
        public static partial void Lost(ILogger logger, double spans, Uri endpoint);
    }
}
