using System.Text.Json;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

/// <summary>iBOT's masks: draw by draw as recorded from the published sampler, and on average.</summary>
public sealed class HiddenPatchesTests
{
    private const string Recorded = "parity/ibot/masks.json";

    [Fact]
    [Trait(RecordedFolders.Trait, "ibot")]
    public void Masks_OfRecordedDraws_AreTheRecordedOnes()
    {
        var replays = Facts().GetProperty("replay").EnumerateArray().ToList();
        Assert.NotEmpty(replays);
        foreach (var recorded in replays)
        {
            var side = recorded.GetProperty("grid").GetInt32();
            var draws = new Replayed([.. recorded.GetProperty("draws").EnumerateArray()]);
            var found = New(recorded, HiddenShape.Block).Draw(new PatchGrid(side, side), draws);
            Assert.Equal(
                string.Concat(recorded.GetProperty("mask").EnumerateArray().Select(row => row.GetString())),
                string.Concat(found.Select(hidden => hidden ? '#' : '.')));
            Assert.True(draws.IsDone);
        }
    }

    [Fact]
    [Trait(RecordedFolders.Trait, "ibot")]
    public void Masks_OnAverage_AreAsManyAndLieAsRecorded()
    {
        foreach (var recorded in Facts().GetProperty("statistics").EnumerateArray())
        {
            var (side, count) = (recorded.GetProperty("grid").GetInt32(), recorded.GetProperty("masks").GetInt32());
            var hidden = New(recorded, recorded.GetProperty("shape").GetString() == "rand" ? HiddenShape.Rand : HiddenShape.Block);
            bool[][] masks = [.. Enumerable.Range(0, count).Select(i =>
                hidden.Draw(new PatchGrid(side, side), MaskDraws.Of(new RandomStream(7, RandomPurpose.Objective, i))))];
            double Number(string key) => recorded.GetProperty(key).GetDouble();
            Assert.Equal(Number("empty_share"), masks.Count(m => !m.Contains(true)) / (double)count, 0.03);
            Assert.Equal(1, masks.Average(m => m.Count(h => h)) / Number("mean_masked"), 0.06);
            int[] sizes = [.. masks.Select(m => m.Count(h => h)).Where(n => n > 0).Order()];
            foreach (var quantile in recorded.GetProperty("masked_quantiles").EnumerateObject())
            {
                var found = sizes[(int)(double.Parse(quantile.Name, System.Globalization.CultureInfo.InvariantCulture) * (sizes.Length - 1))];
                Assert.Equal(quantile.Value.GetDouble(), found, 2.5);
            }

            foreach (var (key, place) in ((string, Func<int, int>)[])[("mean_by_row", p => p / side), ("mean_by_column", p => p % side)])
            {
                if (!recorded.TryGetProperty(key, out var shares)) continue;
                for (var line = 0; line < side; line++)
                {
                    var share = masks.Average(m => m.Where((h, p) => h && place(p) == line).Count() / (double)side);
                    Assert.Equal(shares[line].GetDouble(), share, 0.02);
                }
            }
        }
    }

    [Fact]
    public void Mask_OfRandomPatches_HidesTheWholeNumberBelow() => Assert.Equal(
        7, new HiddenPatches([0.49], [0], HiddenShape.Rand).Draw(new PatchGrid(4, 4), MaskDraws.Of(new RandomStream(1, RandomPurpose.Objective)))
            .Count(hidden => hidden));

    private static HiddenPatches New(JsonElement recorded, HiddenShape shape)
    {
        double[] Numbers(string key) => recorded.GetProperty(key) is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Select(n => n.GetDouble())]
            : [recorded.GetProperty(key).GetDouble()];
        return new HiddenPatches(Numbers("ratio"), Numbers("variance"), shape);
    }

    private static JsonElement Facts() => JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require(Recorded))).RootElement;

    private sealed class Replayed(IReadOnlyList<JsonElement> draws) : MaskDraws
    {
        private int _at;

        public bool IsDone => _at == draws.Count;

        public override double Uniform(double from, double to)
        {
            var value = Next("uniform", from, to);
            return value;
        }

        public override int Integer(int least, int most) => (int)Next(draws[_at][0].GetString()!, least, most);

        public override void Shuffle(Span<int> patches) => throw new InvalidOperationException("Blocks shuffle nothing.");

        private double Next(string kind, double low, double high)
        {
            var draw = draws[_at++];
            Assert.Equal(kind, draw[0].GetString());
            Assert.Equal(draw[1].GetDouble(), low, 1e-9);
            Assert.Equal(draw[2].GetDouble(), high, 1e-9);
            return draw[3].GetDouble();
        }
    }
}
