namespace Orchestrator.Cli.Output;

/// <summary>Words that say whether something is well, and the colour that says it faster.</summary>
internal static class StatusColours
{
    public static Colour? Of(string word) => word switch
    {
        "True" or "Running" or "Ready" or "Active" or "Bound" => Colour.Green,
        "False" or "BackOff" or "NotReady" or "CrashLoopBackOff" or "ErrImagePull" or "ImagePullBackOff" or "PortUnavailable" => Colour.Red,
        "Unknown" or "Pending" or "Starting" or "Draining" or "Stopping" or "Terminating" or "Warning" => Colour.Yellow,
        "<none>" or "<unknown>" => Colour.Grey,
        _ => null,
    };
}
