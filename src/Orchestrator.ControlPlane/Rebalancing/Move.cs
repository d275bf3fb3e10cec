using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>A replica that is to leave a host of many of its app's replicas, once another one serves on a host of few.</summary>
/// <param name="To">Where the scheduler would put the other one. It decides anew when that is made.</param>
/// <param name="FromCount">Replicas of the app on the host it leaves, itself included.</param>
/// <param name="ToCount">Those on the other.</param>
internal sealed record Move(Replica Replica, string From, string To, int FromCount, int ToCount)
{
    public string Uid => Replica.Metadata.Uid;

    /// <summary>For people.</summary>
    public string Describe() => $"{Replica.Metadata.Name} leaves {From}, which has {FromCount} of the replicas, for {To}, which has {ToCount}: a new one starts first";
}
