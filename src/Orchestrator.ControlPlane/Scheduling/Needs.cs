using System.Runtime.CompilerServices;
using Orchestrator.Api;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>What a template asks of a host. Read once for each template object: quantities are slow to parse.</summary>
/// <param name="Cpu">Cores; 0 when it asks for none.</param>
/// <param name="Memory">Bytes; 0 when it asks for none.</param>
internal sealed record Needs(decimal Cpu, decimal Memory, string Image)
{
    private static readonly ConditionalWeakTable<ReplicaTemplate, Needs> Read = [];

    public static Needs Of(ReplicaTemplate template) => Read.GetValue(template, static read => new Needs(
        read.Resources?.Requested(ResourceNeeds.Cpu) ?? 0,
        read.Resources?.Requested(ResourceNeeds.Memory) ?? 0,
        ImageNames.Normalize(read.Image)));
}
