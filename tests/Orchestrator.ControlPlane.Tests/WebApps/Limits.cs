using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

internal static class Limits
{
    /// <summary>Those of an app that says nothing about its strategy.</summary>
    public static RolloutLimits Default(int desired) => RolloutLimits.Of(new() { Spec = new() { Replicas = desired } });
}
