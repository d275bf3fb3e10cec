using System.Runtime.CompilerServices;
using Orchestrator.Api;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>What a template asks of a host. Read once for each template object: quantities are slow to parse.</summary>
/// <param name="Cpu"><see cref="Units"/> of cores; 0 when it asks for none.</param>
/// <param name="Memory">Bytes; 0 when it asks for none.</param>
internal sealed record Needs(long Cpu, long Memory, string Image)
{
    private static readonly ConditionalWeakTable<ReplicaTemplate, Needs> Read = [];

    public static Needs Of(ReplicaTemplate template) => Read.GetValue(template, static read => new Needs(
        Units.OfCores(read.Resources?.Requested(ResourceNeeds.Cpu)) ?? 0,
        Units.OfBytes(read.Resources?.Requested(ResourceNeeds.Memory)) ?? 0,
        ImageNames.Normalize(read.Image)));
}

/// <summary>Quantities as whole numbers, which the inner loop compares some ten times faster than decimals.</summary>
internal static class Units
{
    /// <summary>Kubernetes counts cores no finer than thousandths; this loses nothing of what can be written.</summary>
    public const long PerCore = 1_000_000_000;

    public static long? OfCores(decimal? cores) => Clamped(cores * PerCore);

    public static long? OfBytes(decimal? bytes) => Clamped(bytes);

    // Far beyond any machine, and sums of them still fit.
    private static long? Clamped(decimal? number) => number is { } some ? (long)Math.Clamp(Math.Ceiling(some), 0, long.MaxValue / 1_000_000) : null;
}
