using System.Text.Json;
using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Masking;

/// <summary>BEiT's masks: replayed from the published program's numbers, and their statistics.</summary>
public sealed class BlockwiseMaskingTests
{
    [Fact]
    [Trait(RecordedFolders.Trait, "data2vec")]
    public void Masks_OfRecordedNumbers_AreTheRecordedOnes()
    {
        var replayed = Recorded("replay").EnumerateArray().ToList();
        Assert.NotEmpty(replayed);
        foreach (var replay in replayed)
        {
            var draws = new RecordedDraws(replay.GetProperty("draws"));
            var masking = MaskingOf(replay);
            var rows = replay.GetProperty("mask").EnumerateArray().Select(row => row.GetString()!);
            Assert.Equal(string.Concat(rows).Select(c => c == '#'), masking.Draw(draws));
            Assert.True(draws.IsUsedUp);
        }
    }

    [Fact]
    [Trait(RecordedFolders.Trait, "data2vec")]
    public void Masks_OfOurOwnStreams_HaveTheRecordedStatistics()
    {
        foreach (var recorded in Recorded("statistics").EnumerateArray())
        {
            const int count = 2000;
            var masking = MaskingOf(recorded);
            var (side, total) = (masking.Grid.Height, 0.0);
            var (rows, columns) = (new double[side], new double[side]);
            var (equal, pairs) = (0.0, 0.0);
            for (var i = 0; i < count; i++)
            {
                var mask = masking.Draw(new RandomStream(1, RandomPurpose.Objective, 0, i));
                Assert.True(mask.Count(m => m) <= masking.Patches);
                for (var p = 0; p < mask.Length; p++)
                {
                    if (mask[p]) (total, rows[p / side], columns[p % side]) = (total + 1, rows[p / side] + 1, columns[p % side] + 1);
                    if (p % side > 0) (equal, pairs) = (equal + (mask[p] == mask[p - 1] ? 1 : 0), pairs + 1);
                    if (p >= side) (equal, pairs) = (equal + (mask[p] == mask[p - side] ? 1 : 0), pairs + 1);
                }
            }

            // Both are means over 2,000 masks: four deviations of their difference.
            var deviation = recorded.GetProperty("deviation_masked").GetDouble();
            Assert.Equal(recorded.GetProperty("mean_masked").GetDouble(), total / count, 4 * deviation * Math.Sqrt(2.0 / count));
            Assert.Equal(recorded.GetProperty("neighbour_agreement").GetDouble(), equal / pairs, 0.01);
            foreach (var (part, found) in ((string, double[])[])[("mean_by_row", rows), ("mean_by_column", columns)])
                Assert.All(recorded.GetProperty(part).EnumerateArray().Zip(found), pair =>
                    Assert.Equal(pair.First.GetDouble(), pair.Second / (count * side), 0.04));
        }
    }

    [Fact]
    public void Masks_AreTheStreams_AndStayWhereNothingFits()
    {
        var masking = new BlockwiseMasking { Grid = new PatchGrid(8, 8), Patches = 39, Least = 5 };
        bool[] Of(long image) => masking.Draw(new RandomStream(3, RandomPurpose.Objective, 0, image));
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
        // A rectangle of 60 patches leaves no row and column of 8 free.
        var tooLarge = masking with { Least = 60, Patches = 63, LeastAspect = 0.999 };
        Assert.DoesNotContain(true, tooLarge.Draw(new RandomStream(3, RandomPurpose.Objective)));
    }

    private static BlockwiseMasking MaskingOf(JsonElement recorded)
    {
        int Number(string key) => recorded.GetProperty(key).GetInt32();
        var most = recorded.GetProperty("max_mask_patches_per_block");
        return new BlockwiseMasking
        {
            Grid = new PatchGrid(Number("grid"), Number("grid")),
            Patches = Number("num_mask_patches"),
            Least = Number("min_mask_patches_per_block"),
            Most = most.ValueKind == JsonValueKind.Null ? null : most.GetInt32(),
        };
    }

    private static JsonElement Recorded(string part) =>
        JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("parity/data2vec/masks.json"))).RootElement.GetProperty(part);

    private sealed class RecordedDraws(JsonElement draws) : IRectangleDraws
    {
        private int _next;

        public bool IsUsedUp => _next == draws.GetArrayLength();

        public double Uniform(double first, double second) => Next("uniform", first, second).GetDouble();

        public int Integer(int greatest) => Next("integer", 0, greatest).GetInt32();

        private JsonElement Next(string kind, double low, double high)
        {
            var draw = draws[_next++];
            Assert.Equal(kind, draw[0].GetString());
            Assert.Equal((low, high), (draw[1].GetDouble(), draw[2].GetDouble()));
            return draw[3];
        }
    }
}
