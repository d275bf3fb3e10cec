using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Canaries;

namespace Orchestrator.Proxy.Routing;

/// <summary>What the rollout of an app has to say about its requests. By default: nothing.</summary>
/// <param name="Split">Null: all endpoints share alike.</param>
/// <param name="Canary">What is counted meanwhile; null: nothing is.</param>
internal readonly record struct Traffic(TrafficSplit? Split, CanaryPeriod? Canary)
{
    public static Traffic Of(WebApp app) => new(TrafficSplit.Of(app), CanaryPeriod.Of(app));
}
