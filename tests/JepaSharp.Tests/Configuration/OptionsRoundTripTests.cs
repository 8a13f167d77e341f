using System.Globalization;
using CsCheck;
using JepaSharp.Configuration;
using JepaSharp.Configuration.Schema;

namespace JepaSharp.Tests.Configuration;

public sealed class OptionsRoundTripTests
{
    [Fact]
    public void ToYaml_AnyOptions_ReadsBackEqual() =>
        OptionGenerators.Options.Sample(options => Assert.Equal(options, OptionsDocument.Parse(options.ToYaml()).Options), iter: 500);

    [Fact]
    public void ToYaml_AnyOptions_NamesEveryKeyOnceInStableOrder()
    {
        var expected = OptionSection.All.SelectMany(section => section.Keys.Select(key => key.Name).Prepend(section.Name)).ToArray();
        OptionGenerators.Options.Sample(options =>
            Assert.Equal(expected, options.ToYaml().TrimEnd('\n').Split('\n').Select(line => line.Trim().Split(':')[0])), iter: 50);
    }

    [Fact]
    public void Apply_EveryKey_SetsThatKeyAlone()
    {
        foreach (var section in OptionSection.All)
        {
            foreach (var key in section.Keys)
            {
                OptionGenerators.Value(key).Sample(
                    value =>
                    {
                        var changed = new PretrainOptions().Apply([$"{key.FullName}={OptionValue.Write(value)}"]);
                        var expected = OptionSection.With(new PretrainOptions(), new Dictionary<string, object?> { [key.FullName] = value });
                        Assert.Equal(expected, changed);
                    },
                    iter: 50);
            }
        }
    }

    [Fact]
    public void ToYaml_Defaults_AreValidAndReadBackEqual()
    {
        Assert.Empty(new PretrainOptions().FindProblems());
        Assert.Equal(new PretrainOptions(), PretrainOptions.Parse(new PretrainOptions().ToYaml()));
        Assert.Equal(new PretrainOptions(), PretrainOptions.Parse(""));
    }

    [Fact]
    public void ReadingAndWriting_UnderAForeignCulture_UseAPoint()
    {
        var before = CultureInfo.CurrentCulture;
        var foreign = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (foreign.NumberFormat.NumberDecimalSeparator, foreign.NumberFormat.NumberGroupSeparator, foreign.NumberFormat.NegativeSign) = (",", ".", "−");
        try
        {
            CultureInfo.CurrentCulture = foreign;
            var options = new PretrainOptions().Apply(["optimization.lr=0.0015"]);
            Assert.Equal(0.0015, options.Optimization.Lr);
            Assert.Contains("\n  lr: 0.0015\n", options.ToYaml(), StringComparison.Ordinal);
            Assert.Contains("[0.2, 0.1]", Assert.Throws<ConfigurationException>(
                () => PretrainOptions.Load(null, ["mask.pred_mask_scale=[0.2, 0.1]"])).Message, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData(1e-6, "1.0e-06")]
    [InlineData(1.5e-9, "1.5e-09")]
    [InlineData(1e20, "1.0e+20")]
    [InlineData(1.0, "1.0")]
    [InlineData(0.996, "0.996")]
    public void Write_Number_IsANumberForYaml11Too(double value, string expected) => Assert.Equal(expected, OptionValue.Write(value));
}
