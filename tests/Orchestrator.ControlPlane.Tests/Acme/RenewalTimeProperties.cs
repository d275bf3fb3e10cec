using CsCheck;
using Orchestrator.ControlPlane.Acme;

namespace Orchestrator.ControlPlane.Tests.Acme;

public sealed class RenewalTimeProperties
{
    private static readonly Gen<(DateTimeOffset Begin, TimeSpan Life, byte[] Serial)> Certificates = Gen.Select(
        Gen.Int[0, 100_000].Select(hours => DateTimeOffset.UnixEpoch.AddHours(hours)), Gen.Int[60, 100_000_000].Select(seconds => TimeSpan.FromSeconds(seconds)), Gen.Byte.Array[1, 20]);

    [Fact]
    public void It_is_at_two_thirds_of_the_life_or_up_to_a_thirtieth_of_it_sooner() => Certificates.Sample(certificate =>
    {
        var share = (RenewalTime.Of(certificate.Begin, certificate.Begin + certificate.Life, certificate.Serial) - certificate.Begin) / certificate.Life;
        Assert.InRange(share, (2.0 / 3) - (1.0 / 30) - 1e-6, (2.0 / 3) + 1e-6);
    });

    [Fact]
    public void It_is_the_same_whenever_it_is_asked_for() => Certificates.Sample(certificate => Assert.Equal(
        RenewalTime.Of(certificate.Begin, certificate.Begin + certificate.Life, certificate.Serial),
        RenewalTime.Of(certificate.Begin, certificate.Begin + certificate.Life, [.. certificate.Serial])));

    [Fact]
    public void Certificates_of_one_moment_are_spread()
    {
        var begin = DateTimeOffset.UnixEpoch;
        var days = Enumerable.Range(0, 300)
            .Select(serial => (RenewalTime.Of(begin, begin.AddDays(90), BitConverter.GetBytes(serial)) - begin).TotalHours).ToList();

        Assert.True(days.Max() - days.Min() > 48, $"{days.Min()} to {days.Max()} hours");
        Assert.All(Enumerable.Range(0, 3), third => Assert.InRange(days.Count(hours => hours >= 1368 + (24 * third) && hours < 1392 + (24 * third)), 60, 140));
    }
}
