using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;

namespace Orchestrator.Proxy.Routing;

/// <summary>What the rollout and the autoscaling of an app have to say about its requests. By default: nothing.</summary>
/// <param name="Split">Null: all endpoints share alike.</param>
/// <param name="Canary">What is counted meanwhile; null: nothing is.</param>
/// <param name="Autoscaling">Null: the app is not scaled by its requests.</param>
internal readonly record struct Traffic(TrafficSplit? Split, CanaryPeriod? Canary, TrafficWish? Autoscaling = null)
{
    public static Traffic Of(WebApp app) => new(TrafficSplit.Of(app), CanaryPeriod.Of(app), TrafficWish.Of(app));
}
