namespace Orchestrator.HostAgent.Tests.World;

/// <summary>A world of its own, on hosts that no other test uses: what is done to them disturbs nobody who works at the same time.</summary>
public sealed class WorldToBreak : AgentWorld
{
    private protected override Lab LoadLab() => Lab.LoadToBreak();
}
