using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.Cli.Usage;

/// <summary>A replica with what its container uses, or why that is not known.</summary>
internal sealed record MeasuredReplica(Replica Replica, ContainerUsage Usage);
