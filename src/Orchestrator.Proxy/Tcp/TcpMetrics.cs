using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.Proxy.Tcp;

/// <summary>The connections of one app. Gone with the app.</summary>
internal sealed class TcpMetrics : IDisposable
{
    private static readonly Gauge AllOpen = Metrics.CreateGauge(
        "orchestrator_proxy_tcp_connections", "Connections of TCP routes that are open.", "namespace", "app");

    private static readonly Counter AllEnded = Metrics.CreateCounter(
        "orchestrator_proxy_tcp_connections_total",
        "Connections of TCP routes that have ended, by how: Closed by both sides, or why not.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "end"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Counter AllBytes = Metrics.CreateCounter(
        "orchestrator_proxy_tcp_bytes_total",
        "Bytes of TCP routes, as they pass: in from clients, out to them.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "direction"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private readonly string[] _labels;

    public TcpMetrics(ObjectKey app)
    {
        _labels = [app.Namespace ?? "", app.Name];
        Open = AllOpen.WithLabels(_labels);
        (BytesIn, BytesOut) = (AllBytes.WithLabels([.. _labels, "in"]), AllBytes.WithLabels([.. _labels, "out"]));
    }

    public Gauge.Child Open { get; }

    public Counter.Child BytesIn { get; }

    public Counter.Child BytesOut { get; }

    /// <summary>Series of ends that none has come to are not there.</summary>
    public Counter.Child Ended(TcpEnd end) => AllEnded.WithLabels([.. _labels, end.ToString()]);

    public void Dispose()
    {
        AllOpen.RemoveLabelled(_labels);
        AllBytes.RemoveLabelled([.. _labels, "in"]);
        AllBytes.RemoveLabelled([.. _labels, "out"]);
        foreach (var end in TcpEnds.All)
        {
            AllEnded.RemoveLabelled([.. _labels, end.ToString()]);
        }
    }
}
