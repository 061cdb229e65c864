-- What a host of version 1 kept: its table of the audit, with two entries.
DROP TABLE audit;
DROP TABLE key_values;
DROP TABLE key_value_sums;
DROP TABLE secrets;
DROP TABLE tool_standings;
DROP TABLE tool_names;
DROP TABLE tool_tombstones;
CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, seq);
INSERT INTO audit VALUES (1, 'default', 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'sha256:18c639bf20863d43b271d720bcf07af2591de07d42141e8c738ea2cca6b3c89e', 1,
'{"tenant":"default","at":"2026-01-02T03:04:05.678Z","actor":"key:1","act":"publish","component":"files@1.0.0","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}');
INSERT INTO audit VALUES (2, 'default', 'sha256:18c639bf20863d43b271d720bcf07af2591de07d42141e8c738ea2cca6b3c89e', 'sha256:4093c2796be4037448d41def14abbf758124b53306497170beb33153a6fd568b', 1,
'{"tenant":"default","at":"2026-01-02T03:04:06.678Z","actor":"key:1","act":"call","call_id":"call_0192f7a4-7c5e-7d2a-8f00-0123456789ab","origin":{"door":"http"},"asked":"files-read","tool":null,"arguments_digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policy":"built-in","granted":[],"code":"policy_denied","denials":[{"capability":"workspace","operation":"open","resource":"/","code":"not_offered","rule":"built-in","reason":"none","smallest_grant":"offer one"}],"usage":{"fuel":0,"wall_us":{"queue":0,"start":0,"guest":0,"host":0,"total":9},"memory_peak_bytes":0,"result_bytes":0,"stdout_bytes":0}}');
PRAGMA user_version = 1;
