namespace Orchestrator.ControlPlane.Acme;

/// <summary>When a certificate is to be replaced: at two thirds of its life. Pure.</summary>
internal static class RenewalTime
{
    /// <summary>Of its life: so much sooner it may be, so that certificates that were ordered together are not renewed together.</summary>
    private const double Jitter = 1.0 / 30;

    /// <param name="serial">Of the certificate. The jitter comes of it: it is another for each, and the same after a restart.</param>
    public static DateTimeOffset Of(DateTimeOffset notBefore, DateTimeOffset notAfter, ReadOnlySpan<byte> serial)
    {
        // FNV-1a.
        var hash = 2166136261u;
        foreach (var one in serial)
        {
            hash = unchecked((hash ^ one) * 16777619);
        }

        return notBefore + ((notAfter - notBefore) * ((2.0 / 3) - (Jitter * hash / uint.MaxValue)));
    }
}
