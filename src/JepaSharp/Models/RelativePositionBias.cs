using JepaSharp.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>A learned number for each head and each difference of two patches' places, which is added to the scores of attention.</summary>
/// <remarks>
/// Bao et al., "BEiT", 2022, after Raffel et al. and Liu et al. (Swin). The table has (2 h - 1)(2 w - 1) rows for a grid of h x w patches, row by row
/// of differences query less key, and three more: class token to a patch, patch to the class token, class token to itself. Names are the published
/// ones; the published <c>relative_position_index</c>, which follows from the grid, is no weight here.
/// </remarks>
internal sealed class RelativePositionBias : nn.Module
{
    /// <summary>Rows for the class token, behind those of differences.</summary>
    public const int ClassRows = 3;

    [ComponentName(Name = "relative_position_bias_table")] private readonly Parameter _table;
    private readonly RelativePlaces? _places;
    private readonly (int Height, int Width) _grid;

    public RelativePositionBias(string name, VisionTransformerShape shape, Device device)
        : base(name)
    {
        _grid = (shape.GridHeight, shape.GridWidth);
        _table = new Parameter(empty([RowsOf(shape.GridHeight, shape.GridWidth), shape.Heads], float32, device));
        if (device.type != DeviceType.META) _places = new RelativePlaces(PlacesOf(shape.GridHeight, shape.GridWidth), device);
        RegisterComponents();
    }

    /// <summary>float32 [R, A].</summary>
    public Parameter Table => _table;

    /// <summary>Row of the table for each pair of tokens, int64 [(N + 1)²]: query by query.</summary>
    public Tensor Places => _places!.Rows;

    /// <summary>Reads other rows of the table from now on: what the published average makes of a teacher's (docs/faithfulness.md).</summary>
    /// <param name="rows">[(N + 1)²] of any type, whole numbers; the caller keeps and may change it.</param>
    public void Follow(Tensor rows) => _places!.Follow(rows);

    /// <summary>How many rows a table has for a grid.</summary>
    public static int RowsOf(int height, int width) => (((2 * height) - 1) * ((2 * width) - 1)) + ClassRows;

    /// <summary>What is added to the scores on the table's own grid. float32 [A, N + 1, N + 1], with gradients to the table.</summary>
    public Tensor Bias() => Of(_table, Places);

    /// <summary>The same for another grid, its table resampled: see <see cref="RelativeTableResizing"/>. Null for the table's own grid.</summary>
    /// <param name="height">Rows of patches.</param>
    /// <param name="width">Columns of patches.</param>
    public Tensor? BiasOnOtherGrid(int height, int width)
    {
        if ((height, width) == _grid) return null;
        using var scope = NewDisposeScope();
        var table = RelativeTableResizing.Resize(_table, _grid, (height, width));
        return Of(table, DeviceCopies.Upload(PlacesOf(height, width), _table.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Row of the table for each pair of tokens of a grid, the class token first: [(N + 1)²], query by query.</summary>
    public static long[] PlacesOf(int height, int width)
    {
        var (tokens, differences) = ((height * width) + 1, RowsOf(height, width) - ClassRows);
        var places = new long[tokens * tokens];
        for (var query = 0; query < tokens; query++)
        {
            for (var key = 0; key < tokens; key++)
                places[(query * tokens) + key] = (query, key) switch
                {
                    (0, 0) => differences + 2,
                    (_, 0) => differences + 1,
                    (0, _) => differences,
                    _ => PlaceOf(query - 1, key - 1, height, width),
                };
        }

        return places;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _places?.Dispose();
        base.Dispose(disposing);
    }

    private static int PlaceOf(int query, int key, int height, int width) =>
        (((query / width) - (key / width) + height - 1) * ((2 * width) - 1)) + (query % width) - (key % width) + width - 1;

    private static Tensor Of(Tensor table, Tensor places)
    {
        using var scope = NewDisposeScope();
        var tokens = (long)Math.Sqrt(places.numel());
        return table.index_select(0, places).view(tokens, tokens, -1).permute(2, 0, 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The rows as they are, or as somebody changes them; no buffer of the module, since they are no weights.</summary>
    private sealed class RelativePlaces(long[] rows, Device device) : IDisposable
    {
        private readonly Tensor _rows = DeviceCopies.Upload(rows, device).DetachFromDisposeScope();
        private Tensor? _followed;

        public Tensor Rows => _followed is null ? _rows : _followed.to(int64);

        public void Follow(Tensor rows) => _followed = rows;

        public void Dispose() => _rows.Dispose();
    }
}
