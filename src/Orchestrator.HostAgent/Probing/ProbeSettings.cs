using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.HostAgent.Probing;

public enum ProbeKind
{
    Readiness,
    Liveness,
    Startup,
}

/// <summary>A probe with Kubernetes' defaults filled in, and its handler made definite.</summary>
public sealed record ProbeSettings(
    ProbeKind Kind,
    ProbeHandler Handler,
    TimeSpan InitialDelay,
    TimeSpan Period,
    TimeSpan Timeout,
    int SuccessThreshold,
    int FailureThreshold)
{
    /// <summary>The probe that a template asks for; without one, readiness is that the port accepts connections.</summary>
    /// <returns>
    /// Null for a liveness probe that is not given: only its end restarts the container then. Null for a startup probe that is not
    /// given: it has started when it runs.
    /// </returns>
    public static ProbeSettings? Of(ReplicaTemplate template, ProbeKind kind)
    {
        var given = kind switch
        {
            ProbeKind.Readiness => template.ReadinessProbe,
            ProbeKind.Liveness => template.LivenessProbe,
            _ => template.StartupProbe,
        };
        return given is null && kind != ProbeKind.Readiness ? null : new ProbeSettings(
            kind,
            HandlerOf(given, template),
            Seconds(given?.InitialDelaySeconds, 0),
            Seconds(given?.PeriodSeconds, 10),
            Seconds(given?.TimeoutSeconds, 1),
            given?.SuccessThreshold is > 0 and var success ? success : 1,
            given?.FailureThreshold is > 0 and var failure ? failure : 3);
    }

    private static TimeSpan Seconds(int? given, int @default) => TimeSpan.FromSeconds(given is > 0 and var seconds ? seconds : @default);

    private static ProbeHandler HandlerOf(V1Probe? probe, ReplicaTemplate template) => probe switch
    {
        { HttpGet: { } http } => HandlerOf(http, template),
        { Exec.Command: { Count: > 0 } command } => new ProbeHandler.Exec(command),
        { Grpc: { } grpc } => Reachable(grpc.Port, template, new ProbeHandler.Grpc(grpc.Service ?? "")),
        { TcpSocket: { } tcp } => Reachable(tcp.Port, template, new ProbeHandler.Tcp()),
        _ => new ProbeHandler.Tcp(),
    };

    /// <summary>A GET, or why there can be none.</summary>
    public static ProbeHandler HandlerOf(V1HTTPGetAction http, ReplicaTemplate template) => Reachable(http.Port, template, new ProbeHandler.Http(
        string.Equals(http.Scheme, "HTTPS", StringComparison.OrdinalIgnoreCase),
        http.Path is { Length: > 0 } path ? path : "/",
        http.Host,
        [.. (http.HttpHeaders ?? []).Select(header => (header.Name, header.Value))]));

    private static ProbeHandler Reachable(IntOrString? port, ReplicaTemplate template, ProbeHandler handler) =>
        port?.Value is { } asked && asked != template.EffectivePort.ToString(System.Globalization.CultureInfo.InvariantCulture)
            ? new ProbeHandler.Impossible($"port {asked} is not published; only the app's port {template.EffectivePort} is")
            : handler;
}

/// <summary>How a probe looks.</summary>
public abstract record ProbeHandler
{
    public sealed record Http(bool Secure, string Path, string? Host, IReadOnlyList<(string Name, string Value)> Headers) : ProbeHandler;

    public sealed record Tcp : ProbeHandler;

    /// <param name="Service">Empty asks for the server as a whole.</param>
    public sealed record Grpc(string Service) : ProbeHandler;

    public sealed record Exec(IList<string> Command) : ProbeHandler;

    /// <summary>Always fails, and says why.</summary>
    public sealed record Impossible(string Reason) : ProbeHandler;
}

public enum ProbeResult
{
    Passed,
    Failed,

    /// <summary>It could not be made; says nothing about the container.</summary>
    Unknown,
}

/// <param name="Message">Why it did not pass, for people.</param>
/// <param name="IsLate">It failed because nothing came in time: neither yes nor no.</param>
public readonly record struct ProbeOutcome(ProbeResult Result, string? Message, bool IsLate = false)
{
    public static ProbeOutcome Passed => new(ProbeResult.Passed, null);

    public static ProbeOutcome Failed(string message) => new(ProbeResult.Failed, message);

    public static ProbeOutcome Late(string message) => new(ProbeResult.Failed, message, IsLate: true);

    public static ProbeOutcome Unknown(string message) => new(ProbeResult.Unknown, message);

    /// <summary>By <see cref="Runtime.Connections.OwnShortage"/>.</summary>
    public static ProbeOutcome NoSocket(Exception failure) => Unknown($"no socket to look with: {failure.GetBaseException().Message}");
}
