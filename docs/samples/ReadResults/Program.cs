using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

// The decode rate of every case of the runs that are named, by the column's name.
Column<ResultRow> decode = ResultSchema.Column("decode_tps_median");
foreach (Run run in args.SelectMany(path => RunReader.Read(path)))
{
    foreach (ResultRow row in Aggregates.Rows(run))
    {
        Console.WriteLine($"{run.Identity.ShownName()}  {row.CaseId}  {decode.Shown(row)} {decode.Unit}");
    }
}
