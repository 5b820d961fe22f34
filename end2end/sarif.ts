/** One result of a made-up scanner, as much of it as the journeys look at. */
export type Result = {
  rule: string;
  message: string;
  path: string;
  line?: number;
  /** What SARIF calls `security-severity`: 9.5 is critical, 8 high, 5 medium, 2 low. */
  score: number;
};

/** A file as a file field takes it. */
type Upload = { name: string; mimeType: string; buffer: Buffer };

/** A complete SARIF 2.1.0 file of one tool; without a result it is a clean scan. */
export function sarif(tool: string, results: Result[], version = "1.0.0"): Upload {
  const rules = [...new Map(results.map(({ rule, score }) => [rule, score]))];
  const run = {
    tool: {
      driver: {
        name: tool,
        version,
        rules: rules.map(([id, score]) => ({ id, properties: { "security-severity": String(score) } })),
      },
    },
    invocations: [{ executionSuccessful: true }],
    results: results.map(({ rule, message, path, line = 1 }) => ({
      ruleId: rule,
      message: { text: message },
      locations: [{ physicalLocation: { artifactLocation: { uri: path }, region: { startLine: line } } }],
    })),
  };
  return {
    name: `${tool.toLowerCase().replaceAll(" ", "-")}-${version}.sarif`,
    mimeType: "application/sarif+json",
    buffer: Buffer.from(JSON.stringify({ version: "2.1.0", runs: [run] })),
  };
}

/** So many results of one rule, each in a file of its own. */
export function many(n: number, of: Omit<Result, "path"> & { folder: string }): Result[] {
  const { folder, ...result } = of;
  return Array.from({ length: n }, (_, at) => {
    const number = String(at + 1).padStart(String(n).length, "0");
    return { ...result, message: `${of.message} ${number}`, path: `${folder}/part${number}.go`, line: at + 1 };
  });
}
